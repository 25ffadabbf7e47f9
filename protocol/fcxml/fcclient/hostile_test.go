package fcclient

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
)

// against opens a client to a server that greets and then sends what the test wants.
func against(t *testing.T, f func(w *world, c *Client, send func(payloads ...string))) {
	t.Helper()
	within(t, fcsim.Options{Model: "solo"}, func(w *world) {
		const at = "192.0.2.66:1"
		l := w.net.MustListen(at)
		defer l.Close()
		conns := make(chan net.Conn, 1)
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Write(fcxml.AppendMessage(nil, fcxml.ClientDetails{ID: "7"}))
			conns <- conn
			io.Copy(io.Discard, conn)
		}()
		c, err := Dial(w.Context(), w.net.Dial, at, w.options())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		server := <-conns
		defer server.Close()
		f(w, c, func(payloads ...string) {
			for _, p := range payloads {
				server.Write(fcxml.Frame{Payload: []byte(p)}.Append(nil))
			}
			synctest.Wait()
		})
	})
}

// What a server invents does not pile up: numbers that no device has named, devices without end, values without end.
func TestServerCannotFillMemory(t *testing.T) {
	against(t, func(w *world, c *Client, send func(...string)) {
		send(`<device-arrival><device id="1"><gain id="2"/></device></device-arrival>`)
		s := c.Devices()[0]
		go func() { _ = c.Subscribe(w.Context(), s) }()
		synctest.Wait()
		for i := range 100 {
			m := fcxml.Set{Device: "1"}
			for k := range 100 {
				m.Items = append(m.Items, fcxml.Assign{ID: uint32(2 + 100*i + k), Value: "-1"})
			}
			send(string(m.AppendXML(nil)))
		}
		c.mu.Lock()
		if n := len(c.devices[0].values); n != 1 {
			t.Errorf("%d values of a device with one control", n)
		}
		c.mu.Unlock()
		send(string(fcxml.Set{Device: "1", Items: []fcxml.Assign{{ID: 2, Value: strings.Repeat("9", fcxml.MaxValue+1)}}}.AppendXML(nil)))
		if v, st := c.Value(s, s.ByPath("gain")); v != "-1" || st != Reported {
			t.Errorf("after a value without end: %.20q, %v", v, st)
		}
		for i := range 200 {
			send(fmt.Sprintf(`<device-arrival><device id="%d"/></device-arrival>`, 10+i))
		}
		if n := len(c.Devices()); n != maxDevices || c.Stats().Refused != 200-(maxDevices-1) {
			t.Errorf("%d devices, %d refused", n, c.Stats().Refused)
		}
		send(`<device-removal id="10"/>`, `<device-arrival><device id="999"/></device-arrival>`)
		if d := c.Devices(); d[len(d)-1].ID != "999" {
			t.Error("a device that comes after another has gone is refused")
		}
	})
}

// Each device may be large, and all of them together not larger than one.
func TestControlsOfAllDevices(t *testing.T) {
	against(t, func(_ *world, c *Client, send func(...string)) {
		large := func(id int) string {
			var b strings.Builder
			fmt.Fprintf(&b, `<device-arrival><device id="%d">`, id)
			for i := range maxControls / 3 {
				fmt.Fprintf(&b, `<gain id="%d"/>`, i+2)
			}
			return b.String() + "</device></device-arrival>"
		}
		for id := range 5 {
			send(large(id + 1))
		}
		if n := len(c.Devices()); n != 3 || c.Stats().Refused != 2 {
			t.Errorf("%d devices, %d refused", n, c.Stats().Refused)
		}
		send(large(2), `<device-removal id="1"/>`, large(9)) // one says anew what it has, and one takes the place of another
		if d := c.Devices(); len(d) != 3 || d[2].ID != "9" || c.Stats().Refused != 2 {
			t.Errorf("%d devices, %d refused", len(d), c.Stats().Refused)
		}
	})
}

// Messages that cannot be read cost what they say and nothing else; elements that nobody knows are handed on as they are.
func TestServerTalksNonsense(t *testing.T) {
	against(t, func(w *world, c *Client, send func(...string)) {
		bad := []string{`<!DOCTYPE l [<!ENTITY a "ha">]><l>&a;</l>`, strings.Repeat("<a>", 100), `<set devid="1"><item id="2" value="&x;"/></set>`, "",
			`<device-arrival/>`, `<device-arrival><device id="1"><a id="2"/><b id="2"/></device></device-arrival>`, `<approval id="7" authorised="perhaps"/>`}
		send(bad...)
		send(`<set devid="5"><item id="1" value="x"/></set>`, `<new-thing a="Grüße"><inside>x</inside></new-thing>`, `<approval id="8" authorised="true"/>`, `<approval id="7" authorised="true"/>`)
		if st := c.Stats(); st.Unreadable != uint64(len(bad)) || st.Unknown != 1 || c.Err() != nil || len(c.Devices()) != 0 {
			t.Errorf("%+v, %v", st, c.Err())
		}
		if c.Approval() != ApprovalGiven {
			t.Error("what came afterwards was not heard")
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		unreadable := 0
		for _, e := range w.events {
			if e.Unreadable != nil {
				unreadable++
			}
		}
		if unreadable != len(bad) {
			t.Errorf("%d messages are said to be unreadable", unreadable)
		}
		w.events = slices.DeleteFunc(w.events, func(e Event) bool { return e.Unreadable != nil })
		if e := w.events[0].Unknown; e == nil || e.Attr("a") != "Grüße" || e.Child("inside").Text != "x" {
			t.Errorf("%+v", w.events[0])
		}
	})
}
