package gateway

import (
	"math/rand/v2"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// BackOff bounds the pause between attempts. It doubles from Min to Max, with a jitter of a fifth either way so that the
// devices behind one switch do not all come at once. The zero value means 0.5 s to 30 s.
type BackOff struct{ Min, Max time.Duration }

const (
	defaultMin = 500 * time.Millisecond
	defaultMax = 30 * time.Second
	slowMin    = 10 * time.Second // for what only a person can put right, such as a password
	stableTime = time.Minute      // a link that was up, or waited for a person, for so long starts again at Min
	jitter     = 0.2
)

// pause decides when to try again.
type pause struct {
	bounds BackOff
	fails  int
}

// renew makes the next pause the shortest one.
func (p *pause) renew() { p.fails = 0 }

// next is called at the end of an attempt that was up for so long. It returns false when trying again cannot help.
func (p *pause) next(class driver.Class, up time.Duration) (time.Duration, bool) {
	if !class.Retry() {
		return 0, false
	}
	if up >= stableTime {
		p.fails = 0
	}
	least, most := p.bounds.Min, p.bounds.Max
	if least <= 0 {
		least = defaultMin
	}
	if most <= 0 {
		most = defaultMax
	}
	if class == driver.NotThisProtocol || class == driver.Auth {
		least = max(least, slowMin)
	}
	most = max(most, least)
	d := least
	for i := 0; i < p.fails && d < most; i++ {
		d *= 2
	}
	p.fails++
	d = min(d, most)
	return time.Duration(float64(d) * (1 - jitter + 2*jitter*rand.Float64())), true
}
