package fc2server

import (
	"slices"
	"strings"
	"sync"

	"github.com/patchbay-io/patchbay/protocol/fc2"
)

// Client is a program that has been let in.
type Client struct {
	Key  fc2.PublicKey
	Name string
}

// Clients is a [Store] in memory. The zero value knows nobody.
type Clients struct {
	mu    sync.Mutex
	known map[fc2.PublicKey]string
}

// Approved implements Store.
func (s *Clients) Approved(key fc2.PublicKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.known[key]
	return ok
}

// Approve implements Store.
func (s *Clients) Approve(key fc2.PublicKey, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[fc2.PublicKey]string{}
	}
	s.known[key] = name
	return nil
}

// Remove forgets a program, and reports whether it was known. Its connections are ended with [Server.Forget].
func (s *Clients) Remove(key fc2.PublicKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.known[key]
	delete(s.known, key)
	return ok
}

// List are the known programs in order of their keys.
func (s *Clients) List() []Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Client
	for k, n := range s.known {
		out = append(out, Client{k, n})
	}
	slices.SortFunc(out, func(a, b Client) int { return strings.Compare(a.Key.String(), b.Key.String()) })
	return out
}
