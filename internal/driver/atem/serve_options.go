package atem

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
)

// ServeOptions are those of the server that other programs connect to. Start from [Driver.ServeOptions].
type ServeOptions struct {
	ATEM         string           `yaml:"atem" listens:"udp" doc:"where ATEM programs connect over UDP, HOST:PORT; empty: nowhere"`
	OpenSwitcher string           `yaml:"openswitcher" listens:"tcp" doc:"where OpenSwitcher programs connect over TCP, HOST:PORT; empty: nowhere"`
	TLSCert      string           `yaml:"tls_cert" doc:"file with the certificate for OpenSwitcher over TLS; empty: without TLS"`
	TLSKey       string           `yaml:"tls_key" doc:"file with its key"`
	Login        bool             `yaml:"login" doc:"whether OpenSwitcher programs must log in as a user of this configuration"`
	Label        string           `yaml:"label" doc:"what OpenSwitcher programs call the switcher, up to 20 letters; empty: the device's name"`
	Devices      []string         `yaml:"devices" doc:"other devices that OpenSwitcher programs can choose at the same address"`
	Allow        Commands         `yaml:"allow" doc:"what every program may command, such as [CPgI, DCut me=1, aux/2]; nothing else than watching without it"`
	Rules        []Rule           `yaml:"rules" doc:"what programs of a user or an address may command besides, such as [{from: 192.0.2.5, allow: [\"*\"]}]"`
	From         serving.Networks `yaml:"from" doc:"addresses and networks that may connect, such as [192.0.2.0/24]; empty: everybody who reaches the address"`
	MaxClients   int              `yaml:"max_clients" doc:"programs at a time, over UDP and over TCP each"`
}

// Rule lets some programs command more than others.
type Rule struct {
	User  string           `yaml:"user,omitempty"` // who has logged in
	From  serving.Networks `yaml:"from,omitempty"`
	Allow Commands         `yaml:"allow"`
}

func serveDefaults() *ServeOptions {
	return &ServeOptions{ATEM: net.JoinHostPort("127.0.0.1", strconv.Itoa(atem.Port)), MaxClients: 1000}
}

var (
	errServesNothing = errors.New("atem: there is neither an address for ATEM programs nor one for OpenSwitcher programs; give atem or openswitcher")
	errOpenToAll     = errors.New("allow: these commands change what is on air, and an address is open to the network without a word about who may connect; " +
		"ATEM has no passwords. Name the computers: from: [192.0.2.10], put allow into rules with from, or listen on 127.0.0.1")
)

// Validate says what is wrong with the options and what would be right.
func (o *ServeOptions) Validate() error {
	if o.ATEM == "" && o.OpenSwitcher == "" {
		return errServesNothing
	}
	loopback := true
	for _, x := range []struct {
		key, addr string
		port      int
		tcp       bool // which has logins
	}{{"atem", o.ATEM, atem.Port, false}, {"openswitcher", o.OpenSwitcher, openswitcher.Port, true}} {
		if x.addr == "" {
			continue
		}
		local, err := serving.CheckListen(x.key, x.addr, x.port)
		if err != nil {
			return err
		}
		loopback = loopback && (local || x.tcp && o.Login)
	}
	switch {
	case (o.TLSCert == "") != (o.TLSKey == ""):
		return errors.New("tls_cert: a certificate and its key belong together; give tls_cert and tls_key")
	case o.TLSCert != "" && o.OpenSwitcher == "":
		return errors.New("tls_cert: only OpenSwitcher has TLS, and openswitcher has no address")
	case len(o.Devices) > 0 && o.OpenSwitcher == "":
		return errors.New("devices: only OpenSwitcher programs can choose among devices, and openswitcher has no address")
	}
	if err := serving.CheckClients(o.MaxClients, 10000); err != nil {
		return err
	}
	for i, r := range o.Rules {
		if r.User == "" && len(r.From) == 0 {
			return fmt.Errorf("rules: rule %d names neither a user nor an address; what everybody may do stands in allow", i+1)
		}
		if r.User != "" && !o.Login {
			return fmt.Errorf("rules: rule %d is about the user %s, and nobody logs in; give login: true", i+1, r.User)
		}
	}
	if !o.Allow.empty() && len(o.From) == 0 && !loopback {
		return errOpenToAll
	}
	return nil
}

// Shows are the other devices that the server shows. The gateway gives them to it as upstreams.
func (o *ServeOptions) Shows() []string { return slices.Clone(o.Devices) }

func (o *ServeOptions) tls() (*tls.Config, error) {
	if o.TLSCert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

// rightsOf is what a client may command: the lists that are about it.
func (o *ServeOptions) rightsOf(user, addr string) []*Commands {
	var out []*Commands
	if !o.Allow.empty() {
		out = append(out, &o.Allow)
	}
	for i := range o.Rules {
		r := &o.Rules[i]
		if (r.User == "" || r.User == user) && r.From.Admit(addr) {
			out = append(out, &r.Allow)
		}
	}
	return out
}

// UnmarshalYAML reads a rule and refuses keys that it does not know.
func (r *Rule) UnmarshalYAML(unmarshal func(any) error) error {
	var keys map[string]any
	if err := unmarshal(&keys); err != nil {
		return errors.New("a rule is like {from: 192.0.2.5, allow: [CPgI]}")
	}
	one := func(key string) func(any) error {
		return func(v any) error {
			var m map[string]raw
			if err := unmarshal(&m); err != nil {
				return err
			}
			return m[key].read(v)
		}
	}
	for key := range keys {
		var err error
		switch key {
		case "user":
			err = one(key)(&r.User)
		case "from":
			err = one(key)(&r.From)
		case "allow":
			err = one(key)(&r.Allow)
		default:
			err = fmt.Errorf("a rule has no %q; it has user, from and allow", key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// raw is YAML that is read later.
type raw struct{ unmarshal func(any) error }

// UnmarshalYAML keeps how to read it.
func (r *raw) UnmarshalYAML(unmarshal func(any) error) error {
	r.unmarshal = unmarshal
	return nil
}

func (r raw) read(v any) error { return r.unmarshal(v) }
