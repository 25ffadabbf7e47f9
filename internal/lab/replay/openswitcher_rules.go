package replay

import (
	"strings"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/transcript"
)

// openswitcherCodes are the fields that differ by their nature; never changed.
var openswitcherCodes = map[atem.Code]string{
	atem.CodeTime: mayTime, atem.CodeRTMR: mayTime, atem.CodeSRST: mayTime, atem.CodeDSTV: mayTime,
	atem.CodeAMLv: mayLive, atem.CodeFMLv: mayLive, atem.CodeFDLv: mayLive, atem.CodeSRSS: mayLive, atem.CodeRTMS: mayLive, atem.CodeTrPs: mayLive,
	atem.CodeWhoI: mayID,
}

// openswitcherMay looks at the code of the field that an item belongs to. Padding has no meaning.
func openswitcherMay(f *transcript.Frame, field string) string {
	prefix, item, ok := strings.Cut(field, ".")
	if !ok {
		return ""
	}
	if item == "padding" {
		return mayLive
	}
	if item == "code" || item == "length" {
		return ""
	}
	for i := range f.Fields {
		if f.Fields[i].Name == prefix+".code" {
			if c, ok := atem.ParseCode(f.Fields[i].Value); ok {
				return openswitcherCodes[c]
			}
		}
	}
	return ""
}
