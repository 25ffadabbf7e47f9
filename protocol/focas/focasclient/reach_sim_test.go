package focasclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

func drop[T any](_ T, err error) error { return err }

// Every reading call is answered by every control, or refused as unknown by those of the other dialect.
func TestEveryCallIsAnswered(t *testing.T) {
	everyProfile(t, func(t *testing.T, _ *focassim.Sim, c *focasclient.Client) {
		ctx, p := t.Context(), c.Path(1)
		for _, row := range []struct {
			name    string
			only30i bool
			call    func() error
		}{
			{"CNCID", false, func() error { return drop(p.CNCID(ctx)) }},
			{"CNCModel", false, func() error { return drop(p.CNCModel(ctx)) }},
			{"EthernetInfo", false, func() error { return drop(p.EthernetInfo(ctx)) }},
			{"StatInfo2", true, func() error { return drop(p.StatInfo2(ctx)) }},
			{"Relative", false, func() error { return drop(p.Relative(ctx)) }},
			{"Skip", false, func() error { return drop(p.Skip(ctx)) }},
			{"ServoDelay", false, func() error { return drop(p.ServoDelay(ctx)) }},
			{"AccDecDelay", false, func() error { return drop(p.AccDecDelay(ctx)) }},
			{"LoopGain", false, func() error { return drop(p.LoopGain(ctx)) }},
			{"Figures", false, func() error { return drop(p.Figures(ctx, focas.FigureAxis)) }},
			{"OpModes", false, func() error { return drop(p.OpModes(ctx)) }},
			{"OpMessages", false, func() error { return drop(p.OpMessages(ctx, 0)) }},
			{"OpMessages3", false, func() error { return drop(p.OpMessages3(ctx, 0, 4)) }},
			{"AlarmBits", false, func() error { return drop(p.AlarmBits(ctx)) }},
			{"Alarms", false, func() error { return drop(p.Alarms(ctx, focas.AllAlarms, 5)) }},
			{"Alarms2", false, func() error { return drop(p.Alarms2(ctx, focas.AllAlarms, 5)) }},
			{"ModalG", false, func() error { return drop(p.ModalG(ctx, focas.ModalAll, 0)) }},
			{"ModalAux", false, func() error { return drop(p.ModalAux(ctx, focas.ModalAll, 0)) }},
			{"Param", false, func() error { return drop(p.Param(ctx, 6711, 0)) }},
			{"Params", false, func() error { return drop(p.Params(ctx, 6711, 6713, 0)) }},
			{"ParamInfo", false, func() error { return drop(p.ParamInfo(ctx, 6711, 2)) }},
			{"ParamInfo2", true, func() error { return drop(p.ParamInfo2(ctx, 6711, 2)) }},
			{"ParamInfo3", true, func() error { return drop(p.ParamInfo3(ctx, 6711, 2)) }},
			{"ParamType", false, func() error { return drop(p.ParamType(ctx, 6711)) }},
			{"Setting", false, func() error { return drop(p.Setting(ctx, 20, 0)) }},
			{"SettingInfo2", true, func() error { return drop(p.SettingInfo2(ctx, 0, 2)) }},
			{"Diag", false, func() error { return drop(p.Diag(ctx, 301, focas.EveryAxis)) }},
			{"DiagInfo", false, func() error { return drop(p.DiagInfo(ctx, 300, 2)) }},
			{"DiagInfo2", true, func() error { return drop(p.DiagInfo2(ctx, 300, 2)) }},
			{"DiagNumbers", false, func() error { return drop(p.DiagNumbers(ctx)) }},
			{"MacroInfo", false, func() error { return drop(p.MacroInfo(ctx)) }},
			{"MacroDoubles", true, func() error { return drop(p.MacroDoubles(ctx, 100, 3)) }},
			{"NamedMacros", true, func() error { return drop(p.NamedMacros(ctx, 500, 3)) }},
			{"ToolOffsetInfo", false, func() error { return drop(p.ToolOffsetInfo(ctx)) }},
			{"ToolGroup", false, func() error { return drop(p.ToolGroup(ctx, 1)) }},
			{"ToolGroupMax", false, func() error { return drop(p.ToolGroupMax(ctx)) }},
			{"UseGroup", false, func() error { return drop(p.UseGroup(ctx)) }},
			{"ToolNum", false, func() error { return drop(p.ToolNum(ctx, 1, 1)) }},
			{"ToolLife", false, func() error { return drop(p.ToolLife(ctx, 1, 1)) }},
			{"ToolLifeInfo", false, func() error { return drop(p.ToolLifeInfo(ctx)) }},
			{"ToolGroups30i", true, func() error { return drop(p.ToolGroups30i(ctx, 1, 3)) }},
			{"BlockCount", false, func() error { return drop(p.BlockCount(ctx)) }},
			{"ExecText", false, func() error { return drop(p.ExecText(ctx, 100)) }},
			{"MDIPointer", false, func() error { return drop(p.MDIPointer(ctx)) }},
			{"ActPoint", false, func() error { return drop(p.ActPoint(ctx)) }},
			{"ProgramDir", false, func() error { return drop(p.ProgramDir(ctx, 0, 5, focas.DirDates)) }},
			{"Drives", true, func() error { return drop(p.Drives(ctx)) }},
			{"CurrentDir", true, func() error { return drop(p.CurrentDir(ctx, focas.Foreground)) }},
			{"SubDirs", true, func() error { return drop(p.SubDirs(ctx, "//CNC_MEM/", 0, 5)) }},
			{"AllDir", true, func() error { return drop(p.AllDir(ctx, "//CNC_MEM/USER/PATH1/", 0, 5)) }},
			{"MainProgram", true, func() error { return drop(p.MainProgram(ctx)) }},
			{"PMC count", false, func() error { return drop(c.PMC(1).Count(ctx)) }},
			{"PMC areas", false, func() error { return drop(c.PMC(1).Info(ctx, -1)) }},
		} {
			err := row.call()
			if unknown := errors.Is(err, &focas.Error{Code: focas.EWFunc}); row.only30i && c.Dialect() == focas.Classic {
				if !unknown {
					t.Errorf("%s on a classic control: %v, want EW_FUNC", row.name, err)
				}
			} else if err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
		}
		if c.Dialect() == focas.Classic {
			if _, err := p.Programs(ctx, "//CNC_MEM/"); err == nil || !strings.Contains(err.Error(), "has no folders") {
				t.Errorf("a folder of a classic control: %v", err)
			}
		}
	})
}

// shortLived breaks after some bytes in one direction.
type shortLived struct {
	net.Conn
	read, write int
}

func (s *shortLived) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p[:min(len(p), max(s.read, 1))])
	if s.read -= n; s.read < 0 {
		s.Conn.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

func (s *shortLived) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p[:min(len(p), s.write)])
	if s.write -= n; n < len(p) && err == nil {
		s.Conn.Close()
		err = io.ErrClosedPipe
	}
	return n, err
}

// Wherever channel 1 breaks, the transfer fails, the session goes on, and the control has the whole program or none of it.
func TestTransfersBreakAnywhere(t *testing.T) {
	text := "\nO7000(LONG)\n" + strings.Repeat("G0 X1.\n", 600) + "%"
	for _, download := range []bool{false, true} {
		for _, writing := range []bool{false, true} {
			for _, at := range []int{0, 1, 9, 10, 11, 12, 13, 100, 525, 526, 527, 537, 538, 548, 549, 600, 1820, 1828, 1829, 3000, 4000, 4790, 4800} {
				breakTransfer(t, text, download, writing, at)
			}
		}
	}
}

func breakTransfer(t *testing.T, text string, download, writing bool, at int) {
	sim, err := focassim.New(focassim.Options{Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	if !download {
		if err := sim.AddProgram(1, text); err != nil {
			t.Fatal(err)
		}
	}
	ln := testnet.Listen()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sim.Serve(ctx, ln) }()
	defer func() { cancel(); <-done }()
	dials := 0
	c, err := focasclient.Dial(ctx, func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := ln.DialContext(ctx, network, addr)
		if dials++; dials != 2 || err != nil {
			return conn, err
		}
		if writing {
			return &shortLived{conn, 1 << 30, at}, nil
		}
		return &shortLived{conn, at, 1 << 30}, nil
	}, "cnc:8193", focasclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	p := c.Path(1)
	var back bytes.Buffer
	var n int64
	if download {
		n, err = p.Download(ctx, focasclient.Transfer{}, strings.NewReader(text))
	} else {
		n, err = p.Upload(ctx, focasclient.Transfer{File: focas.NumberedFiles(7000, 7000)}, &back)
	}
	// What a transfer needs in each direction: the open and the start, the data or its end, at least.
	if err == nil && (download && n != int64(len(text)) || !download && back.String() != text) {
		t.Errorf("download %v, writing %v, cut at %d: no error after %d bytes", download, writing, at, n)
	}
	if n > int64(len(text)) || !strings.HasPrefix(text, back.String()) {
		t.Errorf("download %v, writing %v, cut at %d: %d bytes", download, writing, at, n)
	}
	if at < 12 && err == nil {
		t.Errorf("download %v, writing %v, cut at %d: no error", download, writing, at)
	}
	if _, err := p.StatInfo(ctx); err != nil || c.Err() != nil {
		t.Errorf("download %v, writing %v, cut at %d: the session: %v, %v", download, writing, at, err, c.Err())
	}
	back.Reset()
	_, again := p.Upload(ctx, focasclient.Transfer{File: focas.NumberedFiles(7000, 7000)}, &back)
	switch {
	case errors.Is(again, focasclient.ErrNothingSent) && download && err != nil:
	case again != nil:
		t.Errorf("download %v, writing %v, cut at %d: afterwards %v", download, writing, at, again)
	case back.String() != text:
		t.Errorf("download %v, writing %v, cut at %d: the control has %d bytes of %d", download, writing, at, back.Len(), len(text))
	}
}
