package httpapi

import (
	"io"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// What a client has written before it goes reaches the line, however slow that is.
func TestPortSettlesBeforeItCloses(t *testing.T) {
	d := newPortDoor(t, Config{})
	other, err := d.box.Gateway.OpenStream(t.Context(), driver.Who{Door: "test"}, "box", "ports/2", north.StreamOptions{Own: true, Granted: true, Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	c := d.dial(t, "path=ports/1&mode=own")
	c.until("the opening", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		return e["type"] == "line" && e["open"] == true
	})
	port := d.box.Port("ports/1")
	port.Hold(true)
	c.say(websocket.MessageBinary, "tail")
	for port.Unacked() != 4 {
		time.Sleep(time.Millisecond)
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	for range 100 {
		if !port.IsOpen() {
			t.Fatal("the port is closed and the bytes are gone")
		}
		time.Sleep(time.Millisecond)
	}
	port.Hold(false)
	b := make([]byte, 4)
	if _, err := io.ReadFull(other, b); err != nil || string(b) != "tail" {
		t.Errorf("%q %v", b, err)
	}
}

// Whoever asks is told when the line has taken everything, and meanwhile how the port is.
func TestPortDrain(t *testing.T) {
	d := newPortDoor(t, Config{})
	other, err := d.box.Gateway.OpenStream(t.Context(), driver.Who{Door: "test"}, "box", "ports/2", north.StreamOptions{Own: true, Granted: true, Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	c := d.dial(t, "path=ports/1&mode=own")
	c.until("the opening", func(_ websocket.MessageType, _ []byte, e map[string]any) bool { return e["open"] == true })
	port := d.box.Port("ports/1")
	port.Hold(true)
	c.say(websocket.MessageBinary, "tail")
	c.say(websocket.MessageText, `{"type":"drain"}`)
	c.say(websocket.MessageText, `{"type":"set","line":"300"}`)
	c.until("the setting", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		if e["type"] == "drained" {
			t.Error("the line takes nothing, and is said to have taken everything")
		}
		return e["baud"] == 300.0
	})
	port.Hold(false)
	c.until("the answer", func(_ websocket.MessageType, _ []byte, e map[string]any) bool {
		return e["type"] == "drained" && e["bytes"] == nil
	})
	looker := d.dial(t, "path=ports/1")
	looker.say(websocket.MessageText, `{"type":"drain"}`)
	looker.until("a refusal", func(_ websocket.MessageType, _ []byte, e map[string]any) bool { return e["code"] == "not-owner" })
}
