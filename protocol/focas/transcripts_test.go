package focas

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas/internal/vectors"
	"github.com/patchbay-io/patchbay/transcript"
)

var update = flag.Bool("update", false, "write testdata/transcripts anew from the measured exchanges")

const transcriptDir = "testdata/transcripts"

// families are the transcript files by what the names of their calls contain; the first match counts, axes is the rest.
func families() [][]string {
	return [][]string{
		{"session", "libhndl"},
		{"transfer", "upstart", "dwnstart"},
		{"pmc", "pmc_"},
		{"macro", "macro"},
		{"param", "rdpar", "wrpar"},
		{"diagnosis", "diag"},
		{"program", "pdf", "prog", "prg", "seqnum", "blkcount", "mdi", "actpt", "search", "delete", "rewind"},
		{"offset", "ofs"},
		{"alarm", "alarm", "alm", "opmsg"},
		{"toollife", "life", "rdcount", "ntool", "grp", "toolnum"},
		{"modal", "modal", "gcode", "command"},
		{"timer", "timer"},
		{"status", "stat", "cncid", "model", "ether", "opnlsgnl", "start", "reset"},
		{"spindle", "rdsp", "acts"},
		{"axes", "cnc_"},
	}
}

func familyOfCall(call string) string {
	for _, f := range families() {
		if slices.ContainsFunc(f[1:], func(part string) bool { return strings.Contains(call, part) }) {
			return f[0]
		}
	}
	return ""
}

// transcriptsOf writes the exchanges as transcripts, one for each family and dialect; a vector is one flow per channel.
func transcriptsOf(vs []vectors.Vector) (map[string]*transcript.Transcript, error) {
	files := map[string]*transcript.Transcript{}
	flows := map[string]uint32{}
	for _, v := range vs {
		dialect := "30i"
		if v.Classic {
			dialect = "classic"
		}
		name := familyOfCall(v.Call) + "-" + dialect + ".transcript"
		tr := files[name]
		if tr == nil {
			tr = &transcript.Transcript{Header: transcript.Header{
				Protocol: "focas",
				Client:   transcript.Origin{Producer: transcript.VendorLibrary, Text: "FANUC's client library for Linux, libfwlib32 1.0.5, x86-64"},
				Server:   transcript.Origin{Producer: transcript.OwnSimulator, Text: "scratch responder (own); its values are made up, their layout was accepted by the library"},
				Extra:    []transcript.Pair{{Key: "times", Value: "not recorded"}, {Key: "flows", Value: "one per call and channel; calls were made on a session that was open already, except in the session files"}},
			}}
			files[name] = tr
		}
		args, err := json.Marshal(v.Args)
		if err != nil {
			return nil, err
		}
		decoded, err := json.Marshal(v.Decoded)
		if err != nil {
			return nil, err
		}
		text := fmt.Sprintf("%s %s returned %d %s", v.Call, args, v.Code, decoded)
		if v.Note != "" {
			text += "; " + v.Note
		}
		of := map[int]uint32{}
		for _, s := range v.Steps {
			flow, ok := of[s.Channel]
			if !ok {
				flows[name]++
				flow = flows[name]
				of[s.Channel] = flow
				tr.Events = append(tr.Events, transcript.Event{Flow: flow, Dir: transcript.Neither, Kind: transcript.Note, Text: fmt.Sprintf("channel %d: %s", s.Channel, text)})
			}
			dir := transcript.FromServer
			if s.Request {
				dir = transcript.FromClient
			}
			tr.Events = append(tr.Events, transcript.Event{Flow: flow, Dir: dir, Kind: transcript.Data, Data: s.Frame})
		}
	}
	return files, nil
}

// TestTranscriptsAreCurrent holds the transcript files against the measured exchanges; with -update it writes them.
func TestTranscriptsAreCurrent(t *testing.T) {
	files, err := transcriptsOf(measured(t))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(transcriptDir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, tr := range files {
		want, err := transcript.Format(tr)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		path := filepath.Join(transcriptDir, name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the measured exchanges give (%v); run go test -run TestTranscriptsAreCurrent -update", path, err)
		}
	}
	paths, err := filepath.Glob(filepath.Join(transcriptDir, "*.transcript"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := transcript.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", p, err)
			continue
		}
		// A recording of our own responder must never pass for evidence about a control.
		if client, server := tr.Header.Evidence(); files[filepath.Base(p)] != nil && (!client || server) {
			t.Errorf("%s: evidence about client %v, server %v", p, client, server)
		}
	}
}
