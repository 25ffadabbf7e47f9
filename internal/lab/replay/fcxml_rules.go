package replay

import (
	"github.com/patchbay-io/patchbay/transcript"
)

// fcxmlMay lets the number differ that a server gives to a client, and what counts its digits. Values must be equal: whether one is
// live is not told by the message that carries it.
func fcxmlMay(f *transcript.Frame, field string) string {
	if field != "id" && field != "length" {
		return ""
	}
	message, numbered := "", false
	for i := range f.Fields {
		switch f.Fields[i].Name {
		case "message":
			message = f.Fields[i].Value
		case "id":
			numbered = true
		}
	}
	if numbered && (message == "client-details" || message == "approval") {
		return mayID
	}
	return ""
}
