package ocaclient

import (
	"errors"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// endless is a device that has no end in one way. answer gives the values of one command.
func endless(t *testing.T, o Options, answer func(cmd ocp1.Command) []byte, f func(t *testing.T, c *Client)) {
	t.Helper()
	scripted(t, o, func(r *ocp1.Reader, far *testnet.Conn) {
		var out []byte
		commands(r, func(m ocp1.Message, cmd ocp1.Command) {
			out = ocp1.AppendResponses(out[:0], m.Version, ocp1.Response{Handle: cmd.Handle, Count: 1, Params: answer(cmd)})
			far.Write(out)
		})
	}, func(t *testing.T, c *Client, _ *testnet.Conn) { f(t, c) })
}

// list is an answer to GetMembers: n objects from first on.
func list(first ocp1.ONo, n int, class ocp1.ClassID) []byte {
	b := ocp1.AppendU16(nil, uint16(n))
	for i := range n {
		b = ocp1.AppendObjectIdentification(b, ocp1.ObjectIdentification{ONo: first + ocp1.ONo(i), Class: ocp1.ClassIdentification{Class: class, Version: 1}})
	}
	return b
}

// A device that answers with more than one can have is told from one that is large, and what it has too much of is said, before the
// memory is gone.
func TestDevicesWithoutAnEnd(t *testing.T) {
	long := ocp1.AppendString(nil, strings.Repeat("x", 60_000))
	for name, tt := range map[string]struct {
		members func(block ocp1.ONo) []byte
		role    []byte
		want    error
		says    string
	}{
		"objects": {func(b ocp1.ONo) []byte { // each block has 512 blocks that nobody has seen
			return list(b*512+4096, 512, ocp1.ClassBlock)
		}, ocp1.AppendString(nil, "x"), ErrTooMany, "65536 objects"},
		"depth":              {func(b ocp1.ONo) []byte { return list(b+1, 1, ocp1.ClassBlock) }, ocp1.AppendString(nil, "x"), ErrTooDeep, "64 deep"},
		"names":              {func(ocp1.ONo) []byte { return list(4096, 400, ocp1.ClassMute) }, long, ErrTooMuch, "16777216 bytes of members and roles"},
		"names of one level": {func(ocp1.ONo) []byte { return list(4096, 4000, ocp1.ClassMute) }, long, ErrTooMuch, "33554432 bytes"},
		"members again and again": {func(b ocp1.ONo) []byte {
			if b == ocp1.RootBlockONo {
				return list(4096, 60, ocp1.ClassBlock)
			}
			return list(10_000, 20_000, ocp1.ClassMute)
		}, ocp1.AppendString(nil, ""), ErrTooMuch, "of members and roles"},
	} {
		t.Run(name, func(t *testing.T) {
			answers := 0
			endless(t, Options{}, func(cmd ocp1.Command) []byte {
				answers++
				if cmd.Method == (ocp1.ID{Level: 3, Index: 5}) {
					return tt.members(cmd.Target)
				}
				return tt.role
			}, func(t *testing.T, c *Client) {
				_, err := c.Tree(t.Context())
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%v, want %v with %q", err, tt.want, tt.says)
				}
				if _, err := c.Do(t.Context(), 4096, id(1, 5), 0, nil); err != nil {
					t.Errorf("the session is over: %v", err)
				}
			})
			if answers > 2*MaxObjects {
				t.Errorf("%d questions were asked", answers)
			}
		})
	}
}

// What is just not too much is taken.
func TestMaxAnswers(t *testing.T) {
	for limit, want := range map[int]error{99: ErrTooMuch, 100: nil} {
		endless(t, Options{MaxAnswers: limit, Window: 3}, func(ocp1.Command) []byte { return make([]byte, 10) }, func(t *testing.T, c *Client) {
			calls := make([]Call, 10)
			if err := c.DoAll(t.Context(), calls); !errors.Is(err, want) {
				t.Errorf("limit %d: %v, want %v", limit, err, want)
			}
			kept := 0
			for _, call := range calls {
				kept += len(call.Values)
				if (call.Err == nil) != (len(call.Values) == 10) {
					t.Errorf("limit %d: %d bytes, %v", limit, len(call.Values), call.Err)
				}
			}
			if kept > limit {
				t.Errorf("limit %d: %d bytes are kept", limit, kept)
			}
			if _, err := c.Do(t.Context(), 1, id(1, 5), 0, nil); err != nil {
				t.Errorf("limit %d: the next call: %v", limit, err)
			}
		})
	}
}
