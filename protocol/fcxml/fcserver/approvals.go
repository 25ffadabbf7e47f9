package fcserver

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"sync"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// maxClients is how many programs a store remembers. Beyond it, one that nobody has approved is forgotten.
const maxClients = 1000

// Client is a program that a store knows.
type Client struct {
	Key, Hostname, ID string
	Approved          bool
}

// Approval is the message about the client.
func (c Client) Approval() fcxml.Approval {
	return fcxml.Approval{Hostname: c.Hostname, ID: c.ID, Type: "response", Authorised: c.Approved}
}

// Approvals remembers, under their keys, which programs may change something. The zero value knows nobody and approves nobody
// by itself. All methods may be called at the same time.
type Approvals struct {
	mu    sync.Mutex
	all   bool
	byKey map[string]*Client
	order []*Client
}

// ApproveAll makes the store approve everybody, also who comes later.
func (a *Approvals) ApproveAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = true
	for _, c := range a.order {
		c.Approved = true
	}
}

// Meet returns the client with a key; a new one waits for approval. The newest host name counts.
func (a *Approvals) Meet(key, hostname string) Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.byKey[key]; ok {
		if hostname != "" {
			c.Hostname = hostname
		}
		return *c
	}
	return *a.add(key, hostname)
}

func (a *Approvals) add(key, hostname string) *Client {
	if a.byKey == nil {
		a.byKey = map[string]*Client{}
	}
	if len(a.order) >= maxClients {
		for i, c := range a.order {
			if !c.Approved || i == len(a.order)-1 {
				delete(a.byKey, c.Key)
				a.order = append(a.order[:i], a.order[i+1:]...)
				break
			}
		}
	}
	c := &Client{Key: key, Hostname: hostname, ID: IDOf(key), Approved: a.all}
	a.byKey[key] = c
	a.order = append(a.order, c)
	return c
}

// Set approves a key, or takes that back. It reports whether anything changed; a key that nobody has used yet is
// remembered.
func (a *Approvals) Set(key string, approved bool) (c Client, changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.byKey[key]
	if !ok {
		p = a.add(key, "")
	}
	changed = p.Approved != approved
	p.Approved = approved
	return *p, changed
}

// Approved reports whether a key may change something.
func (a *Approvals) Approved(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.byKey[key]
	return ok && c.Approved
}

// All are the known clients in the order in which they came.
func (a *Approvals) All() []Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]Client, len(a.order))
	for i, c := range a.order {
		out[i] = *c
	}
	return out
}

// IDOf is the identity of a key in approvals: a decimal number of up to 20 digits that does not give the key away.
func IDOf(key string) string {
	h := sha256.Sum256([]byte(key))
	return strconv.FormatUint(binary.BigEndian.Uint64(h[:8]), 10)
}
