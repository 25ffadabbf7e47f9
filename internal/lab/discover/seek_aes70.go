package discover

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"
)

// The services under which AES70 devices announce themselves (AES70-3), and the URL scheme for each. Devices over UDP alone are
// not reached.
var aes70Services = map[string]string{"_oca._tcp": "aes70", "_ocasec._tcp": "aes70+tls", "_ocaws._tcp": "aes70+ws"}

// aes70Seeker finds AES70 devices.
func aes70Seeker() Seeker {
	return Seeker{Driver: "aes70", How: "mDNS _oca._tcp, _ocasec._tcp and _ocaws._tcp",
		Seek: func(ctx context.Context, n Network, report func(Found)) error {
			types := make([]string, 0, len(aes70Services))
			for t := range aes70Services {
				types = append(types, t)
			}
			return Browse(ctx, n, types, func(s Service) {
				if s.Addr.Addr().IsValid() && !isFocusriteControl2(s) {
					report(aes70Found(s))
				}
			})
		}}
}

// isFocusriteControl2 tells Focusrite Control 2, whose port speaks nothing before it has paired, by the public key in its text.
func isFocusriteControl2(s Service) bool {
	for _, v := range s.Text {
		if b, err := hex.DecodeString(v); err == nil && len(b) == 32 {
			return true
		}
	}
	return false
}

func aes70Found(s Service) Found {
	url := aes70Services[s.Type] + "://" + urlHost(s.Addr.Addr()) + ":" + strconv.Itoa(int(s.Addr.Port()))
	if path := s.Text["path"]; strings.HasPrefix(path, "/") && path != "/" && s.Type == "_ocaws._tcp" {
		url += "?path=" + path
	}
	f := Found{Addr: s.Addr, Protocol: "aes70", URL: url, Reasons: []string{s.Instance}}
	for _, key := range []string{"manufacturer", "model", "protovers"} {
		if v := s.Text[key]; v != "" {
			f.Reasons = append(f.Reasons, key+" "+v)
		}
	}
	return f
}
