package config

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/token"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// serveKey is the key of a device section under which its native server is configured.
const serveKey = "serve"

// serve reads the section of a device's native server. Its keys are the fields of the driver's ServeOptions. A section
// without keys serves with the defaults.
func (s *section) serve(p pair) {
	server, ok := s.d.Driver.(driver.Server)
	if !ok || s.d.Driver.Info().Can&driver.CanServe == 0 {
		s.at(p.token, "serve: a %s device has no server that other programs could connect to", s.d.Driver.Info().Name)
		return
	}
	options := server.ServeOptions()
	sub := &section{loader: s.loader, token: p.token, place: s.place, given: map[string]*token.Token{}}
	sub.d.Name, sub.d.Target.Options = s.d.Name, options
	r := &optionReader{section: sub, fields: optionFields(options)}
	known := slices.Sorted(maps.Keys(r.fields))
	before := len(s.problems)
	for _, kv := range s.mapping(p.value, serveKey) {
		if _, ok := r.fields[kv.key]; !ok {
			s.unknownKey(kv, known)
			continue
		}
		r.key(kv)
	}
	if len(s.problems) > before {
		return
	}
	r.defaults()
	if v, ok := options.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			key, _, _ := strings.Cut(err.Error(), ":")
			at := sub.given[key]
			if at == nil {
				at = p.token
			}
			s.at(at, "serve.%v", err)
			return
		}
	}
	slices.Sort(sub.print)
	sum := sha256.Sum256([]byte(strings.Join(sub.print, "\n")))
	s.d.Serve, s.d.ServeFingerprint = options, hex.EncodeToString(sum[:])
	for _, x := range sub.d.settings {
		x.key = serveKey + "." + x.key
		s.d.settings = append(s.d.settings, x)
	}
}
