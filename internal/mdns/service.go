package mdns

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Service is one service of this computer.
type Service struct {
	Type     string         // "_oca._tcp"
	Instance string         // what people read; another one gets " (2)" when the name is taken
	Addr     netip.AddrPort // of the listener; 0.0.0.0 is every address of IPv4, and :: every one there is
	Text     []string       // key=value each
}

// Times of RFC 6762 in seconds, for records with the name of a host and for others (10).
const (
	ttlHost  = 120
	ttlOther = 4500
	ttlOnce  = 10 // most for resolvers that do not know multicast DNS (6.7)
)

// classFlush marks records that nobody else has (10.2); in a question it asks for an answer to the asker alone (5.4).
const classFlush = dnsmessage.Class(1 << 15)

// typesName lists the types of services that there are (RFC 6763, 9).
const typesName = "_services._dns-sd._udp.local."

// maxLabel is the longest label of a name, in bytes.
const maxLabel = 63

// label makes a single label of a text: dots part labels, and the rest is free.
func label(s string, suffix string) string {
	s = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		switch {
		case r == '.':
			return '-'
		case r < ' ' || r == 0x7f:
			return -1
		}
		return r
	}, s), "")
	if len(s)+len(suffix) > maxLabel {
		s = strings.ToValidUTF8(s[:maxLabel-len(suffix)], "")
	}
	return s + suffix
}

func (s *Service) check() error {
	switch {
	case !strings.HasPrefix(s.Type, "_") || !strings.HasSuffix(s.Type, "._tcp") && !strings.HasSuffix(s.Type, "._udp") || len(s.Type) > maxLabel:
		return fmt.Errorf("mdns: %q is no type of a service", s.Type)
	case label(s.Instance, "") == "":
		return fmt.Errorf("mdns: %q is no name of a service", s.Instance)
	case s.Addr.Port() == 0:
		return fmt.Errorf("mdns: %s has no port", s.Instance)
	}
	for _, t := range s.Text {
		if len(t) > 255 {
			return fmt.Errorf("mdns: a text of %d bytes; 255 are the most", len(t))
		}
	}
	return nil
}

// names are the full names of a service, with a dot at the end.
type names struct{ typ, instance, host string }

// resource makes a record.
func resource(name string, class dnsmessage.Class, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: mustName(name), Class: dnsmessage.ClassINET | class, TTL: ttl}, Body: body}
}

// mustName is for names that are short enough by the checks before.
func mustName(s string) dnsmessage.Name {
	n, err := dnsmessage.NewName(s)
	if err != nil {
		panic("mdns: " + err.Error())
	}
	return n
}

func (s *Service) ptr(n *names) dnsmessage.Resource {
	return resource(n.typ, 0, ttlOther, &dnsmessage.PTRResource{PTR: mustName(n.instance)})
}

func (s *Service) srv(n *names) dnsmessage.Resource {
	return resource(n.instance, classFlush, ttlHost, &dnsmessage.SRVResource{Port: s.Addr.Port(), Target: mustName(n.host)})
}

func (s *Service) txt(n *names) dnsmessage.Resource {
	text := s.Text
	if len(text) == 0 {
		text = []string{""} // a record without a text is none (RFC 6763, 6.1)
	}
	return resource(n.instance, classFlush, ttlOther, &dnsmessage.TXTResource{TXT: text})
}

// addrs are the records of the host's addresses on a link that the service listens on.
func (s *Service) addrs(n *names, l *Link) []dnsmessage.Resource {
	var out []dnsmessage.Resource
	for _, p := range l.Prefixes {
		a, on := p.Addr(), s.Addr.Addr().Unmap()
		switch {
		case a.Is4() && (on.IsUnspecified() || on == a):
			out = append(out, resource(n.host, classFlush, ttlHost, &dnsmessage.AResource{A: a.As4()}))
		case a.Is6() && (on == netip.IPv6Unspecified() || on.WithZone("") == a):
			out = append(out, resource(n.host, classFlush, ttlHost, &dnsmessage.AAAAResource{AAAA: a.As16()}))
		}
	}
	return out
}

// data is the content of a record as it is compared (8.2): names are in full. Nil: of a kind that is not used here.
func data(r *dnsmessage.Resource) []byte {
	switch body := r.Body.(type) {
	case *dnsmessage.SRVResource:
		b := []byte{byte(body.Priority >> 8), byte(body.Priority), byte(body.Weight >> 8), byte(body.Weight), byte(body.Port >> 8), byte(body.Port)}
		for l := range strings.SplitSeq(strings.ToLower(body.Target.String()), ".") {
			b = append(append(b, byte(len(l))), l...)
		}
		return b
	case *dnsmessage.TXTResource:
		b := []byte{}
		for _, t := range body.TXT {
			b = append(append(b, byte(len(t))), t...)
		}
		return b
	case *dnsmessage.PTRResource:
		return []byte(strings.ToLower(body.PTR.String()))
	case *dnsmessage.AResource:
		return body.A[:]
	case *dnsmessage.AAAAResource:
		return body.AAAA[:]
	}
	return nil
}
