package mdns

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/time/rate"
)

// Options of a responder. The zero value is good: the network of this computer.
type Options struct {
	Host  string                                        // name of this computer in front of .local; empty: "patchbay"
	Links func() ([]Link, error)                        // nil: [Links]
	Open  func(context.Context, []Link) (Socket, error) // for links of one family; nil: [Open]
	Log   *slog.Logger                                  // nil: none
}

// Periods of the responder itself.
const (
	lookEvery = time.Minute      // whether there are other interfaces now
	openAgain = 10 * time.Second // after the socket failed
)

// The least time between two sendings of one record on one link (6), and where a name is defended (8.2).
const (
	sendEvery   = time.Second
	defendEvery = 250 * time.Millisecond
)

// Answers to single askers, a second and at once: an asker may lie about where it is.
const (
	singleRate  = 20
	singleBurst = 40
)

// Responder tells of services. Make it with [New] and run it with [Responder.Run]. All methods may be called at the same time.
type Responder struct {
	opts Options
	wake chan struct{}

	mu      sync.Mutex
	claims  []*claim
	host    int             // attempt at the name of the computer
	sockets map[bool]Socket // by whether it is of IPv6; none while nothing is open
	links   []Link
	single  *rate.Limiter
}

// New makes a responder; it starts nothing.
func New(o Options) *Responder {
	if o.Host = label(o.Host, ""); o.Host == "" {
		o.Host = "patchbay"
	}
	if o.Links == nil {
		o.Links = Links
	}
	if o.Open == nil {
		o.Open = Open
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Responder{opts: o, wake: make(chan struct{}, 1), single: rate.NewLimiter(singleRate, singleBurst)}
}

// Announce tells of a service until ctx ends, and says goodbye then. The error is about the service, at once, or nil. It waits while Run
// does not run.
func (r *Responder) Announce(ctx context.Context, s Service) error {
	if err := s.check(); err != nil {
		return err
	}
	c := &claim{service: s}
	r.mu.Lock()
	c.probe(time.Now())
	r.claims = append(r.claims, c)
	r.mu.Unlock()
	r.hurry()
	<-ctx.Done()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, x := range r.claims {
		if x == c {
			r.claims = append(r.claims[:i:i], r.claims[i+1:]...)
		}
	}
	r.goodbye(c)
	return nil
}

// hurry has the loop look what is due.
func (r *Responder) hurry() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run speaks on the network until ctx ends, and returns nil. A network that cannot be used is logged, and tried again.
func (r *Responder) Run(ctx context.Context) error {
	said := ""
	for {
		links, err := r.opts.Links()
		if err == nil && len(links) > 0 && r.count() > 0 {
			err = r.session(ctx, links)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && err.Error() != said {
			said = err.Error()
			r.opts.Log.Warn("the local network cannot be told of services", "error", err, "again", openAgain)
		}
		pause := time.NewTimer(openAgain)
		select {
		case <-ctx.Done():
		case <-pause.C:
		case <-r.wake:
		}
		pause.Stop()
	}
}

func (r *Responder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.claims)
}

// errOther ends a session because the interfaces are others.
var errOther = errors.New("mdns: the interfaces have changed")

// session speaks on the links that there are. It ends with ctx, when a socket fails, and when there are other links, which is no error.
func (r *Responder) session(ctx context.Context, links []Link) error {
	sockets, open, err := r.open(ctx, links)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.sockets, r.links = sockets, open
	for _, c := range r.claims {
		c.probe(time.Now())
	}
	r.mu.Unlock()
	ended := make(chan error, len(sockets))
	var readers sync.WaitGroup
	for v6, s := range sockets {
		readers.Go(func() { ended <- r.read(s, v6, open) })
	}
	err = r.loop(ctx, links, ended)
	r.mu.Lock()
	for _, c := range r.claims {
		r.goodbye(c)
	}
	r.sockets, r.links = nil, nil
	r.mu.Unlock()
	for _, s := range sockets {
		s.Close()
	}
	readers.Wait()
	if err == errOther {
		return nil
	}
	return err
}

// open opens the sockets, and gives the links that they are for. A family that this computer has not is left out, when the other one is there.
func (r *Responder) open(ctx context.Context, links []Link) (map[bool]Socket, []Link, error) {
	sockets := map[bool]Socket{}
	var open []Link
	var failed error
	for _, v6 := range []bool{false, true} {
		of := slices.DeleteFunc(slices.Clone(links), func(l Link) bool { return l.V6 != v6 })
		if len(of) == 0 {
			continue
		}
		s, err := r.opts.Open(ctx, of)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		sockets[v6] = s
		open = append(open, of...)
	}
	if len(sockets) == 0 {
		return nil, nil, failed
	}
	if failed != nil {
		r.opts.Log.Debug("multicast DNS over one family alone", "error", failed)
	}
	return sockets, open, nil
}

// errReading says that the reader has ended by itself.
var errReading = errors.New("mdns: the socket has failed")

func (r *Responder) loop(ctx context.Context, links []Link, ended <-chan error) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		due := time.NewTimer(r.work(time.Now()))
		select {
		case <-ctx.Done():
			due.Stop()
			return ctx.Err()
		case err := <-ended:
			due.Stop()
			r.opts.Log.Debug("multicast DNS", "error", err)
			return errReading
		case <-look.C:
			if now, err := r.opts.Links(); err == nil && !reflect.DeepEqual(now, links) {
				due.Stop()
				return errOther
			}
		case <-r.wake:
		case <-due.C:
		}
		due.Stop()
	}
}

// read takes packets in until the socket, of one family, fails.
func (r *Responder) read(socket Socket, v6 bool, links []Link) error {
	buf := make([]byte, 9000)
	for {
		n, from, index, err := socket.Read(buf)
		if err != nil {
			return err
		}
		for i := range links {
			l := &links[i]
			if l.Index != index || l.V6 != v6 || !l.near(from.Addr()) {
				continue // what comes from beyond the link is nobody's business here (11)
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) == nil {
				r.packet(&m, from, l)
			}
		}
	}
}

// work does what is due, and says when to look again.
func (r *Responder) work(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := now.Add(time.Hour)
	soonest := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	for _, c := range r.claims {
		if !c.due.IsZero() && !now.Before(c.due) {
			r.advance(c, now)
		}
		soonest(c.due)
		for i := range r.links {
			l := &r.links[i]
			p := c.pending[l.key()]
			if p.asked != 0 && !now.Before(p.due) {
				r.send(c, l, p.asked, now)
				delete(c.pending, l.key())
				continue
			}
			if p.asked != 0 {
				soonest(p.due)
			}
		}
	}
	return max(next.Sub(now), time.Millisecond)
}

// delay is a random time up to most, so that not everybody speaks at once.
func delay(least, most time.Duration) time.Duration { return least + rand.N(most-least) }
