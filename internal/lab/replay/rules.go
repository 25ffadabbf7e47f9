package replay

import (
	"path"
	"slices"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/transcript"
)

// protocol is what tolerant comparison knows about one.
type protocol struct {
	name string
	open func() transcript.Dissector
	// may says why a field of a frame may differ; empty: it may not. Fields that only count the bytes of such fields may
	// differ as well.
	may func(f *transcript.Frame, field string) string
}

// protocols is never changed. The rules of each are in PROTOCOL_rules.go.
var protocols = []protocol{{"focas", focas.NewDissector, focasMay}, {"openswitcher", openswitcher.NewDissector, openswitcherMay},
	{"devicemaster", devicemaster.NewDissector, devicemasterMay}, {"aes70", ocp1.NewDissector, aes70May}, {"fcxml", fcxml.NewDissector, fcxmlMay}}

// Protocols are the names of the protocols that can be compared field by field.
func Protocols() []string {
	var out []string
	for _, p := range protocols {
		out = append(out, p.name)
	}
	return out
}

func protocolOf(name string) *protocol {
	for i := range protocols {
		if protocols[i].name == name {
			return &protocols[i]
		}
	}
	return nil
}

// The reasons why something may differ.
const (
	mayTime    = "time"
	mayCounter = "counter"
	mayID      = "identity"
	mayAddress = "address"
	mayLive    = "live value"
	mayIgnored = "request" // the user's
)

// matches reports whether a field name is one of the patterns; * stands for any characters but a slash.
func matches(patterns []string, field string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, field)
		return err == nil && ok
	})
}

// Reasons are the keys of [Result.Tolerated], in a fixed order.
func Reasons() []string { return []string{mayTime, mayCounter, mayID, mayAddress, mayLive, mayIgnored} }
