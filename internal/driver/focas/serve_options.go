package focas

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// ServeOptions are those of the server that other FOCAS programs connect to. Start from [Driver.ServeOptions].
type ServeOptions struct {
	Listen     string           `yaml:"listen" listens:"tcp" doc:"where FOCAS programs connect, HOST:PORT"`
	Allow      Calls            `yaml:"allow" doc:"calls that change something and are let through, by FOCAS name or number, such as [cnc_wrmacro, 0x16]; download lets programs be sent to the control"`
	From       serving.Networks `yaml:"from" doc:"addresses and networks that may connect, such as [192.0.2.0/24]; empty: everybody who reaches the address"`
	Window     time.Duration    `yaml:"window" jsonschema:"type=string" doc:"equal reads of several programs within this time are asked once; 0 asks each time"`
	MaxClients int              `yaml:"max_clients" doc:"programs at a time; each may hold a second connection for transfers"`
	Idle       time.Duration    `yaml:"idle" jsonschema:"type=string" doc:"a program that asks nothing for so long is disconnected; 0: never"`
}

func serveDefaults() *ServeOptions {
	return &ServeOptions{Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(Port)), Window: 100 * time.Millisecond, MaxClients: 50}
}

var errOpenToAll = errors.New("allow: these calls change the machine, and listen is open to the network without a word about who " +
	"may connect; FOCAS has no passwords. Name the programs' computers: from: [192.0.2.10], or listen on 127.0.0.1")

// Validate says what is wrong with the options and what would be right.
func (o *ServeOptions) Validate() error {
	loopback, err := serving.CheckListen("listen", o.Listen, Port)
	if err == nil {
		err = serving.CheckClients(o.MaxClients, 1000)
	}
	switch {
	case err != nil:
		return err
	case o.Window < 0 || o.Window > time.Minute:
		return fmt.Errorf("window: %v is out of range; give 0s to 1m", o.Window)
	case o.Idle < 0:
		return fmt.Errorf("idle: %v is out of range; give 0s or more", o.Idle)
	case !loopback && len(o.From) == 0 && !o.Allow.empty():
		return errOpenToAll
	}
	return nil
}

// Calls are the calls that a configuration names: functions, and kinds of transfers to the control.
type Calls struct {
	words     []string
	funcs     map[focas.Func]bool
	downloads map[focas.TransferKind]bool
}

func (c *Calls) empty() bool { return len(c.funcs)+len(c.downloads) == 0 }

// downloads are the words that let a transfer to the control through, by what it carries.
func downloads() map[string]focas.TransferKind {
	m := map[string]focas.TransferKind{"download": focas.TransferProgram}
	for k := focas.TransferToolOffset; k <= focas.TransferWorkOffset; k++ {
		m["download-"+k.String()] = k
	}
	m["download-"+focas.TransferVerify.String()] = focas.TransferVerify
	return m
}

// ParseCalls reads FOCAS names ("cnc_wrmacro"), numbers ("0x16", "22"), and "download" with its variants. A name stands
// for every function that the call sends in either dialect.
func ParseCalls(words []string) (Calls, error) {
	c := Calls{words: words, funcs: map[focas.Func]bool{}, downloads: map[focas.TransferKind]bool{}}
	if len(words) == 0 {
		return c, nil
	}
	byName := map[string][]focas.Func{}
	for n := range 1 << 16 {
		for _, name := range focas.Func(n).Info().FOCAS {
			byName[name] = append(byName[name], focas.Func(n))
		}
	}
	transfers := downloads()
	for _, w := range words {
		if kind, ok := transfers[w]; ok {
			c.downloads[kind] = true
			continue
		}
		if n, err := strconv.ParseUint(w, 0, 16); err == nil {
			c.funcs[focas.Func(n)] = true
			continue
		}
		if len(byName[w]) == 0 {
			return c, unknownCall(w, byName, transfers)
		}
		for _, f := range byName[w] {
			c.funcs[f] = true
		}
	}
	return c, nil
}

func unknownCall(w string, byName map[string][]focas.Func, transfers map[string]focas.TransferKind) error {
	var known []string
	for name := range byName {
		known = append(known, name)
	}
	for name := range transfers {
		known = append(known, name)
	}
	if near, ok := device.Nearest(w, known); ok {
		return fmt.Errorf("%q is no call that this program knows; did you mean %q?", w, near)
	}
	return fmt.Errorf("%q is no call that this program knows; write a FOCAS name such as cnc_wrmacro, a number such as 0x16, or download", w)
}

// String is the list as configuration writes it.
func (c Calls) String() string { return strings.Join(c.words, ",") }

// MarshalYAML writes the words.
func (c Calls) MarshalYAML() (any, error) { return append([]string{}, c.words...), nil }

// UnmarshalYAML reads a text or a list of texts and numbers.
func (c *Calls) UnmarshalYAML(unmarshal func(any) error) error {
	list, err := words(unmarshal)
	if err != nil {
		return err
	}
	*c, err = ParseCalls(list)
	return err
}

// JSONSchema describes what UnmarshalYAML accepts.
func (Calls) JSONSchema() *jsonschema.Schema {
	return scalarOrList(&jsonschema.Schema{Type: "string"}, &jsonschema.Schema{Type: "integer"})
}
