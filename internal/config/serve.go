package config

import (
	"cmp"
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

// Face is a way to serve devices of several drivers to other programs, besides the native server that a driver may have. It is a key of
// the section serve.
type Face struct {
	Name string
	Doc  string
	// Options returns a pointer to a new options struct filled with the defaults, as a driver's ServeOptions does.
	Options func() any
	// Fits says why devices of a driver are not served like this; nil: they can be. The text follows "serve.NAME: ".
	Fits func(driver.Info) error
}

// serve reads the section of what lets other programs connect. Its keys are the fields of the driver's ServeOptions, and the names of
// faces. A section without keys of the driver serves with the defaults, unless there are faces: then the driver's own server is not wanted.
func (s *section) serve(p pair) {
	server, native := s.d.Driver.(driver.Server)
	native = native && s.d.Driver.Info().Can&driver.CanServe != 0
	faces := map[string]*Face{}
	for i := range s.in.Faces {
		if f := &s.in.Faces[i]; f.Fits(s.d.Driver.Info()) == nil {
			faces[f.Name] = f
		}
	}
	if !native && len(faces) == 0 {
		s.at(p.token, "serve: a %s device has no server that other programs could connect to", s.d.Driver.Info().Name)
		return
	}
	var own, others []pair
	for _, kv := range s.mapping(p.value, serveKey) {
		if slices.ContainsFunc(s.in.Faces, func(f Face) bool { return f.Name == kv.key }) {
			others = append(others, kv)
		} else {
			own = append(own, kv)
		}
	}
	names := slices.Sorted(maps.Keys(faces))
	switch {
	case native && (len(own) > 0 || len(others) == 0):
		s.d.Serve, s.d.ServeFingerprint = s.serveOptions(serveKey, server.ServeOptions(), own, names, p.token)
	case len(own) > 0:
		s.unknownKey(own[0], names)
	case len(others) == 0:
		s.at(p.token, "serve: it says for whom. Known here: %s", strings.Join(names, ", "))
	}
	for _, kv := range others {
		s.face(kv, faces[kv.key])
	}
}

// face reads the section of one face.
func (s *section) face(kv pair, f *Face) {
	if f == nil {
		i := slices.IndexFunc(s.in.Faces, func(f Face) bool { return f.Name == kv.key })
		s.at(kv.token, "serve.%s: %v", kv.key, s.in.Faces[i].Fits(s.d.Driver.Info()))
		return
	}
	key := serveKey + "." + kv.key
	options, _ := s.serveOptions(key, f.Options(), s.mapping(kv.value, key), nil, kv.token)
	if options == nil {
		return
	}
	if s.d.Faces == nil {
		s.d.Faces = map[string]any{}
	}
	s.d.Faces[kv.key] = options
}

// serveOptions fills options from the keys of a section. It returns nil when something is wrong, which it has told. others are keys that
// the section may have besides.
func (s *section) serveOptions(name string, options any, keys []pair, others []string, at *token.Token) (filled any, fingerprint string) {
	sub := &section{loader: s.loader, token: at, place: s.place, given: map[string]*token.Token{}}
	sub.d.Name, sub.d.Target.Options = s.d.Name, options
	r := &optionReader{section: sub, fields: optionFields(options)}
	known := slices.Concat(slices.Sorted(maps.Keys(r.fields)), others)
	before := len(s.problems)
	for _, kv := range keys {
		if _, ok := r.fields[kv.key]; !ok {
			s.unknownKey(kv, known)
			continue
		}
		r.key(kv)
	}
	if len(s.problems) > before {
		return nil, ""
	}
	r.defaults()
	if v, ok := options.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			key, _, _ := strings.Cut(err.Error(), ":")
			at := sub.given[key]
			if at == nil {
				at = sub.token
			}
			s.at(at, "%s.%v", name, err)
			return nil, ""
		}
	}
	if e, ok := options.(driver.Encrypter); ok && e.Encrypts() != "" {
		s.overTLS = append(s.overTLS, tlsServer{key: s.d.Name + "." + name + "." + e.Encrypts(), at: cmp.Or(sub.given[e.Encrypts()], sub.token)})
	}
	s.claims(name, options, sub.given, at)
	slices.Sort(sub.print)
	sum := sha256.Sum256([]byte(strings.Join(sub.print, "\n")))
	for _, x := range sub.d.settings {
		x.key = name + "." + x.key
		s.d.settings = append(s.d.settings, x)
	}
	return options, hex.EncodeToString(sum[:])
}

// tlsServer is a server, or a face, that wants the certificate of this gateway.
type tlsServer struct {
	key string // DEVICE.serve.OPTION
	at  *token.Token
}

// guardServers refuses those when there is no certificate.
func (l *loader) guardServers() {
	if l.c.TLS.On() {
		return
	}
	for _, s := range l.overTLS {
		l.at(s.at, "%s: there is no certificate; write tls: auto, or tls: {cert: FILE, key: FILE}, at the top of the file", s.key)
	}
}
