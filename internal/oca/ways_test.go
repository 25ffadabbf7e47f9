package oca

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// Controllers of all three ways reach the same device, and the local network is told how.
func TestWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Defaults()
		o.TLS, o.WS = "127.0.0.1:65001", "127.0.0.1:8080"
		desk := ocaserver.NewDevice(ocaserver.Info{Name: "desk"})
		desk.Root().Gain("Level", -20, -80, 0)
		server := ocaserver.New(desk, ocaserver.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		announced := map[string]driver.Announcement{}
		for _, w := range o.Ways(server, &tls.Config{Certificates: []tls.Certificate{testnet.MustCertificate("desk.example")}}) {
			ln := testnet.Listen()
			wg.Go(func() {
				if err := w.Serve(ctx, ln); !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", w.Name, err)
				}
			})
			conn, err := ln.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			switch w.Key {
			case "tls":
				conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
			case "ws":
				if conn, err = ocaws.Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return conn, nil }, w.Addr, ocaws.DialOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			c := ocaclient.New(conn, w.Name, ocaclient.Options{})
			if root, err := c.Tree(t.Context()); err != nil || len(root.Members) != 1 || root.Members[0].Role != "Level" {
				t.Errorf("%s: %+v, %v", w.Name, root, err)
			}
			c.Close()
			announced[w.Name+" "+w.Addr] = w.Announcement("desk", testnet.Addr{Net: "tcp", Name: w.Addr})
		}
		cancel()
		wg.Wait()
		text := []string{"txtvers=1", "protovers=1"}
		at := func(a string) net.Addr { return testnet.Addr{Net: "tcp", Name: a} }
		if d := cmp.Diff(map[string]driver.Announcement{
			"tcp 127.0.0.1:65000": {Type: "_oca._tcp", Instance: "desk", Addr: at("127.0.0.1:65000"), Text: text},
			"tls 127.0.0.1:65001": {Type: "_ocasec._tcp", Instance: "desk", Addr: at("127.0.0.1:65001"), Text: text},
			"ws 127.0.0.1:8080":   {Type: "_ocaws._tcp", Instance: "desk", Addr: at("127.0.0.1:8080"), Text: append(text, "path=/")},
		}, announced); d != "" {
			t.Error(d)
		}
	})
}

// Only what has an address is a way, and there is no TLS without a certificate.
func TestNoWay(t *testing.T) {
	server := ocaserver.New(ocaserver.NewDevice(ocaserver.Info{}), ocaserver.Options{})
	ways := (&Options{TLS: "127.0.0.1:1"}).Ways(server, nil)
	if len(ways) != 1 || ways[0].Key != "tls" {
		t.Fatalf("%+v", ways)
	}
	ln := testnet.Listen()
	if err := ways[0].Serve(t.Context(), ln); !errors.Is(err, errNoCertificate) {
		t.Error(err)
	}
	if _, err := ln.Dial(t.Context()); err == nil {
		t.Error("it listens still")
	}
}

// What is wrong with the options is told with the key, and what would be right.
func TestOptions(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"listen: none of listen, tls and ws says":        func(o *Options) { o.Listen = "" },
		`tls: "desk" is no address`:                      func(o *Options) { o.TLS = "desk" },
		`ws: "8080" is no address`:                       func(o *Options) { o.WS = "8080" },
		"tls: listen has the address 127.0.0.1:65000":    func(o *Options) { o.TLS = o.Listen },
		"ws: tls has the address 127.0.0.1:1":            func(o *Options) { o.TLS, o.WS = "127.0.0.1:1", "127.0.0.1:1" },
		"max_clients: 0":                                 func(o *Options) { o.MaxClients = 0 },
		"announce: controllers would find what they can": func(o *Options) { o.Announce = true },
		"allow: controllers may change these points":     func(o *Options) { o.TLS, o.Allow = "0.0.0.0:65001", []string{"*"} },
	} {
		o := Defaults()
		change(o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for name, change := range map[string]func(*Options){
		"defaults":          func(*Options) {},
		"TLS alone":         func(o *Options) { o.Listen, o.TLS = "", "127.0.0.1:65000" },
		"two free ports":    func(o *Options) { o.Listen, o.TLS = "127.0.0.1:0", "127.0.0.1:0" },
		"looking over TLS":  func(o *Options) { o.TLS = "0.0.0.0:65001" },
		"announced, by TLS": func(o *Options) { o.TLS, o.Announce = "192.0.2.5:65001", true },
	} {
		o := Defaults()
		change(o)
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if want := map[bool]string{true: "tls"}[o.TLS != ""]; o.Encrypts() != want {
			t.Errorf("%s: encrypts %q", name, o.Encrypts())
		}
	}
}
