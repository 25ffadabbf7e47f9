package cli

import (
	"bufio"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/keys"
	"github.com/patchbay-io/patchbay/internal/lab/decode"
	"github.com/patchbay-io/patchbay/protocol/fc2"
)

// exitDamaged says that an input could not be read to its end, or lacks bytes; what there is has been shown.
const exitDamaged = 8

// decodeFlags are the flags of decode.
type decodeFlags struct {
	decode.Options
	least   float64
	diff    bool
	keys    []string // files
	servers []string // public keys
}

func (a *app) decodeCommand() *cobra.Command {
	var f decodeFlags
	c := &cobra.Command{
		Use:   "decode FILE… | -",
		Short: "Show a recording, a capture or a hex dump field by field",
		Long: `Show a recording, a capture or a hex dump field by field, with the evidence behind each field. FILE is a transcript, a pcap
or pcapng file, or hex: Wireshark's packet dumps and followed streams, xxd, hexdump, or as a mail has it. - reads standard
input. The protocol is the file's own, else it is found by ports and by trying.

WebSockets are followed, and what is inside shown as its own protocol. What Focusrite Control 2 encrypts is opened with --keys:
a file of secret keys, 64 hex digits on a line, such as keys/fc2-identity.key in the state folder of patchbay. With a client's key
the server's public key is needed too, --server-key; a server's own secret key is enough.

--stats says how much is understood, and what to look at next. --diff compares two recordings message by message and names
the first field that differs in each pair.

The exit code is 8 when a file is damaged, cut or lacks bytes; everything that could be read has been shown then.`,
		Example: `  patchbay decode session.transcript
  patchbay decode --stats capture.pcapng
  patchbay decode --keys fc2-identity.key --server-key 0faa68…0f20 capture.pcapng
  patchbay decode --diff before.transcript after.transcript
  echo 'a0a0a0a0 0002 0101 0002 0002' | patchbay decode -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.JSON = a.json
			if err := f.readKeys(); err != nil {
				return usageError(err)
			}
			if f.diff {
				return a.decodeDiff(cmd.Context(), args, f.Options)
			}
			return a.decodeFiles(cmd.Context(), args, f)
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.Protocol, "protocol", "", "which protocol: "+strings.Join(decode.Names(), ", ")+" (default: the file's own, else a guess)")
	fl.Uint16Var(&f.Port, "port", 0, "of a capture, only flows to this port of the server; with --protocol, whatever they look like")
	fl.BoolVar(&f.Brief, "brief", false, "one line for each frame, no fields")
	fl.BoolVar(&f.Stats, "stats", false, "how much is understood, and what to look at next, instead of frames")
	fl.BoolVar(&f.diff, "diff", false, "compare two recordings; the exit code is 1 when they differ")
	fl.StringArrayVar(&f.keys, "keys", nil, "file with secret keys of Focusrite Control 2, one a line in hex; may be repeated")
	fl.StringArrayVar(&f.servers, "server-key", nil, "public key of a Focusrite Control 2, 64 hex digits; may be repeated")
	fl.Float64Var(&f.least, "least", 0, "fail when less than this share of the bytes is decoded, in percent")
	return c
}

// readKeys reads the keys that the flags name. What is wrong with a file is said by its line: keys do not get into messages.
func (f *decodeFlags) readKeys() error {
	for _, text := range f.servers {
		k, err := fc2.ParsePublicKey(text)
		if err != nil {
			return fmt.Errorf("--server-key: %w", err)
		}
		f.Keys.Servers = append(f.Keys.Servers, k)
	}
	for _, name := range f.keys {
		b, err := readLimited(name, keys.MaxSize)
		if err != nil {
			return fmt.Errorf("--keys: %w", err)
		}
		n := 0
		for line := range strings.Lines(string(b)) {
			n++
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			secret, err := hex.DecodeString(line)
			if err != nil {
				return fmt.Errorf("--keys %s: line %d: %w", name, n, fc2.ErrKey)
			}
			id, err := fc2.IdentityOf(secret)
			if err != nil {
				return fmt.Errorf("--keys %s: line %d: %w", name, n, err)
			}
			f.Keys.Identities = append(f.Keys.Identities, id)
		}
	}
	return nil
}

// readLimited reads a file that is no longer than limit bytes.
func readLimited(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s is longer than %d bytes", name, limit)
	}
	return b, err
}

// input opens a file, or standard input for "-".
func (a *app) input(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.In), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return f, nil
}

// decodeFiles shows one input after the other. A faulty one does not keep the others from being shown; the exit code is
// that of the first.
func (a *app) decodeFiles(ctx context.Context, names []string, f decodeFlags) error {
	var first error
	for i, name := range names {
		if len(names) > 1 && !f.JSON {
			if i > 0 {
				fmt.Fprintln(a.Out)
			}
			fmt.Fprintf(a.Out, "== %s ==\n", name)
		}
		err := a.decodeFile(ctx, name, f)
		if err != nil && ctx.Err() != nil {
			return err
		}
		switch {
		case err == nil:
		case first == nil && i == len(names)-1:
			return err
		case first == nil:
			first = err
			a.report(err)
		default:
			a.report(err)
		}
	}
	if first != nil {
		return &failure{code: ExitCode(first), kind: "decode", err: errors.New("not all files could be read whole"), hint: "The first lines of this output say why."}
	}
	return nil
}

func (a *app) decodeFile(ctx context.Context, name string, f decodeFlags) error {
	in, err := a.input(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out := bufio.NewWriterSize(a.Out, 64<<10)
	o := f.Options
	o.Name = name
	res, err := decode.Decode(ctx, in, out, o)
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	switch {
	case err != nil:
		return decodeFailure(name, err)
	case res.Gaps > 0:
		return &failure{code: exitDamaged, kind: "gaps", err: fmt.Errorf("%s: bytes are missing in %d places", name, res.Gaps),
			hint: "The capture lost packets. Record with patchbay tap, which loses nothing, or capture with a larger buffer."}
	case res.Share.Percent() < f.least:
		return &failure{code: exitFailed, kind: "share", err: fmt.Errorf("%s: %.1f %% of the bytes are decoded, less than %g %%", name, res.Share.Percent(), f.least)}
	}
	return nil
}

// decodeFailure gives an error of decode its exit code.
func decodeFailure(name string, err error) error {
	switch {
	case errors.Is(err, decode.ErrProtocol):
		return &failure{code: exitUsage, kind: "unknown-protocol", err: fmt.Errorf("%s: %w", name, err), hint: "Name it with --protocol; in a capture of something else, name the port too with --port."}
	case errors.Is(err, decode.ErrInput):
		return &failure{code: exitFailed, kind: "unknown-format", err: fmt.Errorf("%s: %w", name, err)}
	case errors.Is(err, decode.ErrDamaged):
		return &failure{code: exitDamaged, kind: "damaged", err: fmt.Errorf("%s: %w", name, err), hint: "Everything before the damage was shown."}
	case errors.Is(err, decode.ErrApart):
		return &failure{code: exitFailed, kind: "apart", err: err, hint: "Compare recordings of the same conversation, or look at each with --stats."}
	}
	return fmt.Errorf("%s: %w", name, err)
}

func (a *app) decodeDiff(ctx context.Context, names []string, o decode.Options) error {
	if len(names) != 2 || names[0] == "-" && names[1] == "-" {
		return usageError(errors.New("--diff compares two recordings: patchbay decode --diff A B"))
	}
	if o.Stats || o.Brief {
		return usageError(errors.New("--diff goes with neither --stats nor --brief"))
	}
	var in [2]io.ReadCloser
	for i, name := range names {
		r, err := a.input(name)
		if err != nil {
			return err
		}
		defer r.Close()
		in[i] = r
	}
	out := bufio.NewWriterSize(a.Out, 64<<10)
	res, err := decode.Diff(ctx, in[0], in[1], out, o)
	if err = cmp.Or(err, out.Flush()); err != nil {
		return decodeFailure(names[0]+", "+names[1], err)
	}
	if !res.Same() {
		return &failure{code: exitFailed, kind: "different", err: fmt.Errorf("the recordings differ in %d of %d messages; %d are in %s alone, %d in %s alone",
			res.Different, res.Compared, res.OnlyA, names[0], res.OnlyB, names[1])}
	}
	return nil
}
