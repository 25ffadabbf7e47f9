package replay

import (
	"strings"

	"github.com/patchbay-io/patchbay/transcript"
)

// aes70May lets differ what a device says by itself: the values in notifications, and what counts their bytes. What answers a
// question must be equal.
func aes70May(f *transcript.Frame, field string) string {
	if !strings.HasPrefix(f.Summary, "Notification") {
		return ""
	}
	switch field[strings.LastIndexByte(field, '.')+1:] {
	case "values", "size", unnamed:
		return mayLive
	}
	return ""
}
