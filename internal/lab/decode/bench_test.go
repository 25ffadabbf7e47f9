package decode

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/lab/capture"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/transcript"
)

// page is a request for many values and its answer, of the sizes that a sweep of a machine has.
func page() (client, server []byte) {
	var asks []focas.Request
	var answers []focas.Reply
	for i := range 20 {
		asks = append(asks, focas.AxisRequest(1, focas.AxisKind(i%4), 1))
		var payload []byte
		for k := range 6 {
			payload = focas.Decimal(int32(1000*i+k), 3).Append(payload)
		}
		answers = append(answers, focas.Reply{Class: focas.ClassCNC, Path: 1, Func: focas.FuncReadAxis, Payload: payload})
	}
	return focas.AppendRequests(nil, asks), focas.AppendReplies(nil, 3, answers)
}

// largeFile writes a pcapng of about the given size into a temporary folder. PATCHBAY_BENCH_KEEP names a file to keep.
func largeFile(b *testing.B, size int64) string {
	name := filepath.Join(b.TempDir(), "large.pcapng")
	if keep := os.Getenv("PATCHBAY_BENCH_KEEP"); keep != "" {
		name = keep
	}
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	s, err := capture.Pcapng(f, time.Now(), "")
	if err != nil {
		b.Fatal(err)
	}
	flow := &capture.Flow{ID: 1, Network: "tcp", Client: netip.MustParseAddrPort("192.0.2.5:50000"), Server: netip.MustParseAddrPort("192.0.2.21:8193")}
	put := func(dir transcript.Direction, kind transcript.Kind, data []byte, at time.Duration) {
		if err := s.Event(flow, &transcript.Event{Flow: 1, Dir: dir, Kind: kind, Data: data, Offset: at}); err != nil {
			b.Fatal(err)
		}
	}
	client, server := page()
	put(transcript.Neither, transcript.Open, nil, 0)
	var written int64
	for at := time.Duration(0); written < size; at += time.Millisecond {
		put(transcript.FromClient, transcript.Data, client, at)
		put(transcript.FromServer, transcript.Data, server, at+500*time.Microsecond)
		written += int64(len(client) + len(server) + 200)
	}
	if err := s.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return name
}

// peak takes output and looks now and then at how much memory is in use.
type peak struct {
	writes int
	most   uint64
}

func (p *peak) Write(b []byte) (int, error) {
	if p.writes++; p.writes%5000 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.most = max(p.most, m.HeapInuse)
	}
	return len(b), nil
}

// BenchmarkCapture decodes a pcapng of PATCHBAY_BENCH_MB megabytes, 4 by default.
func BenchmarkCapture(b *testing.B) {
	mb := int64(4)
	if v := os.Getenv("PATCHBAY_BENCH_MB"); v != "" {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil {
			b.Fatal(err)
		}
		mb = n
	}
	name := largeFile(b, mb<<20)
	for _, o := range []Options{{}, {Brief: true}, {JSON: true}, {Stats: true}} {
		b.Run(fmt.Sprintf("brief=%v,json=%v,stats=%v", o.Brief, o.JSON, o.Stats), func(b *testing.B) {
			b.SetBytes(mb << 20)
			b.ReportAllocs()
			var out peak
			for b.Loop() {
				f, err := os.Open(name)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := Decode(context.Background(), f, &out, o); err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
			b.ReportMetric(float64(out.most)/(1<<20), "peak-MB")
		})
	}
	b.Run("reassembly alone", func(b *testing.B) {
		b.SetBytes(mb << 20)
		b.ReportAllocs()
		for b.Loop() {
			f, err := os.Open(name)
			if err != nil {
				b.Fatal(err)
			}
			src, err := openSource(f, transcript.Limits{})
			if err != nil {
				b.Fatal(err)
			}
			for err == nil {
				_, err = src.next()
			}
			if err != io.EOF {
				b.Fatal(err)
			}
			f.Close()
		}
	})
}
