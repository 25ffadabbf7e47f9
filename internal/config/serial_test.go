package config

import (
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
)

func TestSerialSection(t *testing.T) {
	c, err := Load(Input{File: "t", Data: []byte(`
serial:
  folder: /run/ports
  ports:
    box/ports/3:
      line: 9600n81
      flow: rts-cts
      mode: rs-485
      on_open: {dtr: true, rts: false}
      rfc2217: 4003
      raw: 127.0.0.9:5003
      pty: true
      pty_mode: 0660
      max_clients: 4
      coalesce: 5ms
      half_close: 1m
      retake: true
      log: /var/log/port3
    box/*: {raw: 4001+, kick_old: true}
`)})
	if err != nil {
		t.Fatal(err)
	}
	p := c.Serial.Ports[0]
	yes, no := true, false
	if c.Serial.Folder != "/run/ports" || p.Device != "box" || p.Path != "ports/3" || p.Line.Baud != 9600 || p.Line.Flow != driver.FlowRtsCts || p.Line.Mode != "rs-485" ||
		*p.Line.DTR != yes || *p.Line.RTS != no || p.RFC2217 != "127.0.0.1:4003" || p.Raw != "127.0.0.9:5003" || p.PTY != "auto" || p.PTYMode != 0o660 ||
		p.MaxClients != 4 || p.Coalesce != 5*time.Millisecond || p.HalfClose != time.Minute || !p.Retake || p.Log != "/var/log/port3" || p.PTYOwner != -1 {
		t.Errorf("%+v", p)
	}
	if q := c.Serial.Ports[1]; q.Path != "*" || q.Raw != "127.0.0.1:4001" || !q.KickOld || q.HalfClose != 3*time.Second || q.Retake {
		t.Errorf("%+v", q)
	}
	text := c.Explain()
	for _, want := range []string{"folder: /run/ports", "box/ports/3: {line: 9600n81", "box/*: {raw: 4001+"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	again, err := Load(Input{File: "t", Data: []byte(strings.ReplaceAll(text, "devices: {}", ""))})
	if err != nil {
		t.Fatalf("what --explain prints cannot be loaded: %v\n%s", err, text)
	}
	if len(again.Serial.Ports) != 2 || again.Serial.Ports[0].Line.String() != p.Line.String() {
		t.Errorf("%+v", again.Serial)
	}
}

// A port may be named by its number, as on the command line.
func TestSerialPortNumber(t *testing.T) {
	c, err := Load(Input{File: "t", Data: []byte("serial: {ports: {box/12: {raw: 4001}}}")})
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Serial.Ports[0]; p.Device != "box" || p.Path != "ports/12" {
		t.Errorf("device %q, path %q", p.Device, p.Path)
	}
	if text := c.Explain(); !strings.Contains(text, "box/ports/12: {raw: ") {
		t.Errorf("the whole path is missing in\n%s", text)
	}
}

func TestSerialMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"serial: {ports: {box: {raw: 4001}}}":                                                           "names no port",
		"serial: {ports: {box/p*: {raw: 4001}}}":                                                        "names no port",
		"serial: {ports: {box/1: {raw: 1}, box/ports/1: {raw: 2}}}":                                     `"box/ports/1" is box/ports/1, which is there already`,
		"serial: {ports: {box/ports/1: {raw: 4001+}}}":                                                  "for DEVICE/*",
		"serial: {ports: {'box/*': {raw: 4001}}}":                                                       "4001+",
		"serial: {ports: {box/ports/1: {raw: x}}}":                                                      "no address",
		"serial: {ports: {box/ports/1: {pty: true}}}":                                                   "no folder",
		"serial: {ports: {box/ports/1: {pty: here}}}":                                                   "whole path",
		"serial: {ports: {box/ports/1: {line: fast}}}":                                                  "9600n81",
		"serial: {ports: {box/ports/1: {flow: fast}}}":                                                  "rts-cts",
		"serial: {ports: {box/ports/1: {max_clients: 0}}}":                                              "0 clients",
		"serial: {ports: {box/ports/1: {pty_mode: 999}}}":                                               "such as 0660",
		"serial: {ports: {box/ports/1: {coalesce: -1s}}}":                                               "below 0",
		"serial: {ports: {box/ports/1: {half_close: 2h}}}":                                              "0s to 1h",
		"serial: {ports: {box/ports/1: {on_open: {cts: true}}}}":                                        "unknown key",
		"serial: {ports: {box/ports/1: {colour: red}}}":                                                 "unknown key",
		"serial: {ports: {box/ports/1: {keep_alive: 10h}}}":                                             "1s to 9h",
		"serial: {ports: {box/ports/1: {keep_alive: 1ms}}}":                                             "1s to 9h",
		"serial: {ports: {box/ports/1: {user_timeout: 600h}}}":                                          "0s to 24h",
		"serial: {ports: {'box/*': {log: /x}}}":                                                         "such as box/1",
		"serial: {ports: {box/ports/1: {log: /x, log_size: 2KB}}}":                                      "no number of bytes",
		"serial: {ports: {box/ports/1: {log: x}}}":                                                      "whole path",
		"serial: {ports: {box/ports/1: {log: /x, log_size: 3}}}":                                        "too few",
		"serial: {ports: {box/ports/1: {raw: '0.0.0.0:4001'}}}":                                         "refused to listen on 0.0.0.0:4001",
		"{serial: {ports: {'box/*': {rfc2217: '192.0.2.9:4001+', login: true, tls: true}}}, tls: auto}": "no users",
		"serial: {ports: {box/ports/1: {raw: 4001, tls: true}}}":                                        "tls: auto",
		"serial: {folder: here}":                                                                        "no whole path",
		"serial: {ports: {box/ports/1: {pty_owner: nobody-has-this}}}":                                  "nobody-has-this",
	} {
		if _, err := Load(Input{File: "t", Data: []byte(text)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
