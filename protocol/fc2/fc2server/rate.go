package fc2server

import "time"

// maxHosts is how many addresses are remembered for the rate of their requests. While as many have asked of late, no other may.
const maxHosts = 256

// rates is how often each address may still ask. The zero value has heard of none.
type rates map[string]*rate

type rate struct {
	left float64 // requests
	at   time.Time
}

// take counts a request of host, and reports whether it may be made: burst at once, and one each interval in the long run.
func (m *rates) take(host string, now time.Time, every time.Duration, burst int) bool {
	if *m == nil {
		*m = rates{}
	}
	for h, r := range *m { // who has not asked for long is as good as unknown
		r.left = min(r.left+float64(now.Sub(r.at))/float64(every), float64(burst))
		r.at = now
		if r.left == float64(burst) {
			delete(*m, h)
		}
	}
	r := (*m)[host]
	if r == nil {
		if len(*m) >= maxHosts {
			return false
		}
		r = &rate{left: float64(burst), at: now}
		(*m)[host] = r
	}
	if r.left < 1 {
		return false
	}
	r.left--
	return true
}
