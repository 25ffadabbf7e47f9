package replay

import (
	"strings"

	"github.com/patchbay-io/patchbay/transcript"
)

// devicemasterFields are the fields that differ from box to box, and from minute to minute; never changed. What a line says is
// compared.
var devicemasterFields = map[string]string{
	"address": mayAddress, "gateway": mayAddress, "boot server": mayAddress, "mask": mayAddress, "mac": mayID,
	"memory address": mayLive, "memory length": mayLive, "inputs": mayLive, "total": mayCounter,
}

// devicemasterMay goes by the names of fields, which mean the same in every message. Of the tags in an ID response nobody knows
// the meaning; one was seen to differ between two sessions with one box.
func devicemasterMay(f *transcript.Frame, field string) string {
	if len(f.Fields) > 0 && f.Fields[0].Value == "id" && (field == unnamed || strings.HasPrefix(field, "tag ")) {
		return mayLive
	}
	return devicemasterFields[field]
}
