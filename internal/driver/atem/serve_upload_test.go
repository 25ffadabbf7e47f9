package atem

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemclient"
	"github.com/patchbay-io/patchbay/protocol/atem/atemsim"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswclient"
)

// Files reach a simulated switcher through the server: as transfers of ATEM programs, two at the same time, and as the whole
// files of OpenSwitcher programs, which need the right to send them.
func TestFilesThroughTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n testnet.Network
		sw, err := atemsim.New(atemsim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		pc, _ := n.ListenPacket(ctx, "udp", farAddr)
		wg.Go(func() { _ = sw.ServeUDP(ctx, pc, atemsim.UDPOptions{}) })
		log := slog.New(slog.DiscardHandler)
		s, err := Driver{}.Open(ctx, driver.Env{ListenPacket: n.ListenPacket, Log: log}, driver.Target{Name: "studio", URL: &url.URL{Scheme: "atem", Host: farAddr}})
		if err != nil {
			t.Fatal(err)
		}
		gate := &stage{}
		opts := serveDefaults()
		opts.ATEM, opts.OpenSwitcher, opts.Login = udpFront, tcpFront, true
		opts.From = network("192.0.2.0/24")
		opts.Rules = []Rule{{User: "anna", Allow: commands(t, "media")}, {From: opts.From, Allow: commands(t, "LOCK store=0", "FTSU", "raw LKOB")}}
		opts.Rules = append(opts.Rules, Rule{From: network("192.0.2.1/32"), Allow: commands(t, "FTSD")})
		wg.Go(func() {
			_ = Driver{}.Serve(ctx, driver.ServeEnv{Listen: n.Listen, ListenPacket: n.ListenPacket, Upstreams: []driver.Upstream{still{s}}, Gate: gate, Log: log}, opts)
		})
		synctest.Wait()
		ver := sw.State().Version()
		picture := make([]byte, 100000)
		for i := range picture {
			picture[i] = byte(i / 800)
		}
		program := func() *atemclient.Client {
			c, err := atemclient.Dial(ctx, n.ListenPacket, udpFront, atemclient.Options{})
			if err != nil {
				t.Fatal(err)
			}
			<-c.Ready()
			return c
		}
		a, b := program(), program()
		up, _ := atem.NewUpload(7, atem.File{Slot: 11, Mode: atem.TransferModeStill, Name: "One", Data: picture}, ver)
		soon, end := context.WithTimeout(ctx, 10*time.Second)
		defer end()
		if err := a.Transfer(soon, up, nil); err != nil {
			t.Fatal(err, gate.told())
		}
		// The other has the store now, and reads it back; the first one has to wait and may not.
		down := atem.NewDownload(7, atem.StoreStills, 11, atem.DownloadStill, ver)
		if err := b.Transfer(soon, down, nil); err != nil || !bytes.Equal(down.Data(), picture) {
			t.Errorf("%d bytes, %v", len(down.Data()), err)
		}
		a.SendPayload(payload(&atem.Lock{Store: 0, Locked: true}))
		synctest.Wait()
		late, stop := context.WithTimeout(ctx, time.Second)
		if err := b.Transfer(late, atem.NewDownload(8, atem.StoreStills, 11, atem.DownloadStill, ver), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a store that somebody has: %v", err)
		}
		stop()
		synctest.Wait()

		// A whole file, in pieces, from a program that may and one that may not.
		send := func(user string, slot uint16) *ear {
			e := &ear{}
			c, err := oswclient.Dial(ctx, n.Dial, tcpFront, oswclient.Options{User: user, Password: "secret", Handle: e.hear})
			if err != nil {
				t.Fatal(err)
			}
			context.AfterFunc(ctx, func() { c.Close() })
			<-c.Ready()
			e.news()
			coded := atem.AppendRuns(nil, picture)
			for at := 0; at < len(coded); at += 16000 {
				piece := atem.OSWUpload{Slot: slot, Upload: true, Name: "Two", SendSize: uint32(len(coded)), RawSize: uint32(len(picture)), Data: coded[at:min(at+16000, len(coded))]}
				c.SendPayload(piece.Append(nil, 0))
			}
			time.Sleep(time.Second)
			return e
		}
		told := func(e *ear) bool { return slices.Contains(e.news(), atem.CodeOSWXFC.String()) }
		gate.told()
		if e := send("anna", 12); told(e) {
			t.Error("a file was sent although another program has the store")
		}
		if got := gate.told(); len(got) != 1 || !strings.Contains(got[0], "refused") {
			t.Errorf("%q", got)
		}
		a.SendPayload(payload(&atem.Lock{Store: 0}))
		synctest.Wait()
		gate.told()
		if e := send("anna", 12); !told(e) {
			t.Error("nobody was told that the file is there")
		}
		if got := gate.told(); len(got) != 1 || !strings.HasPrefix(got[0], `anna studio FTSD transfer=0 store=0 slot=13`) {
			t.Errorf("%q", got)
		}
		down = atem.NewDownload(9, atem.StoreStills, 12, atem.DownloadStill, ver)
		if err := b.Transfer(soon, down, nil); err != nil || !bytes.Equal(down.Data(), picture) {
			t.Errorf("%d bytes, %v", len(down.Data()), err)
		}
		if e := send("otto", 14); told(e) {
			t.Error("a program that may not send files has sent one")
		}
		a.Close()
		b.Close()
		s.Close()
		cancel()
		wg.Wait()
	})
}

// A file that is no picture, and one that is on its way when the switcher goes, end without a trace.
func TestUploadThatFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStage(t, func(o *ServeOptions) { o.Allow = commands(t, "media") })
		far := s.switcherOfTransfers()
		c, _ := s.tcp("")
		send := func(coded []byte) {
			piece := atem.OSWUpload{Slot: 1, Upload: true, SendSize: uint32(len(coded)), RawSize: 100, Data: coded}
			c.SendPayload(piece.Append(nil, 0))
			synctest.Wait()
		}
		send(append(bytes.Repeat([]byte{0xfe}, 8), 1, 2, 3))
		if got := s.told(); len(got) != 1 || !strings.HasSuffix(got[0], "refused") {
			t.Errorf("%q", got)
		}
		if got := far.take(); got != "" {
			t.Errorf("%q", got)
		}
		far.hold = true
		send(make([]byte, 64000))
		if got := s.told(); len(got) != 0 {
			t.Errorf("%q", got)
		}
		s.linkDown()
		if got := s.told(); len(got) != 1 || !strings.HasSuffix(got[0], "refused") {
			t.Errorf("%q", got)
		}
		<-c.Done()
		s.stop()
	})
}
