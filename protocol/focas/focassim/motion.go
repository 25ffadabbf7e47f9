package focassim

import "math"

// maxAxes is the largest number of axes of one path.
const maxAxes = 4

// vector holds one number per axis of a path: millimetres, or degrees for a rotary axis.
type vector [maxAxes]float64

// segment is one straight or circular move in machine coordinates.
type segment struct {
	rapid    bool
	from, to vector
	length   float64 // of the path, mm
	rate     float64 // commanded, mm/s, before the override
	limit    float64 // the largest rate that no axis exceeds, mm/s
	arc      bool
	p, q     int // axes of the arc's plane
	cp, cq   float64
	radius   float64
	angle    float64 // at the start
	sweep    float64 // positive is counter-clockwise
}

// line makes a straight move. limits are the largest rates per axis, mm/s.
func line(from, to vector, rapid bool, rate float64, limits *vector) segment {
	s := segment{rapid: rapid, from: from, to: to, rate: rate, limit: math.Inf(1)}
	for i := range to {
		d := to[i] - from[i]
		s.length += d * d
	}
	s.length = math.Sqrt(s.length)
	for i := range to {
		if d := math.Abs(to[i] - from[i]); d > 0 && limits[i] > 0 {
			s.limit = min(s.limit, limits[i]*s.length/d)
		}
	}
	if rapid {
		s.rate = s.limit
	}
	return s
}

// circle makes a circular move in the plane of axes p and q around (cp, cq); other axes move along (helix).
func circle(from, to vector, p, q int, cp, cq float64, clockwise bool, rate float64, limits *vector) segment {
	s := segment{from: from, to: to, rate: rate, limit: min(limits[p], limits[q]), arc: true, p: p, q: q, cp: cp, cq: cq}
	s.radius = math.Hypot(from[p]-cp, from[q]-cq)
	s.angle = math.Atan2(from[q]-cq, from[p]-cp)
	s.sweep = math.Atan2(to[q]-cq, to[p]-cp) - s.angle
	if clockwise {
		for s.sweep >= -1e-9 {
			s.sweep -= 2 * math.Pi
		}
	} else {
		for s.sweep <= 1e-9 {
			s.sweep += 2 * math.Pi
		}
	}
	s.length = s.radius * math.Abs(s.sweep)
	rise := 0.0
	for i := range to {
		if i != p && i != q {
			rise += (to[i] - from[i]) * (to[i] - from[i])
		}
	}
	s.length = math.Hypot(s.length, math.Sqrt(rise))
	return s
}

// at is the position after d millimetres of path.
func (s *segment) at(d float64) vector {
	if d >= s.length || s.length == 0 {
		return s.to
	}
	k := d / s.length
	var v vector
	for i := range v {
		v[i] = s.from[i] + k*(s.to[i]-s.from[i])
	}
	if s.arc {
		sin, cos := math.Sincos(s.angle + k*s.sweep)
		v[s.p], v[s.q] = s.cp+s.radius*cos, s.cq+s.radius*sin
	}
	return v
}

// direction is the unit vector along the path after d millimetres.
func (s *segment) direction(d float64) vector {
	var v vector
	if s.length == 0 {
		return v
	}
	for i := range v {
		v[i] = (s.to[i] - s.from[i]) / s.length
	}
	if s.arc {
		sin, cos := math.Sincos(s.angle + d/s.length*s.sweep)
		w := s.radius * s.sweep / s.length
		v[s.p], v[s.q] = -w*sin, w*cos
	}
	return v
}

// exitSpeed is how fast a move may run into the next one: both cut, in nearly the same direction, and the next is long
// enough to stop in it.
func exitSpeed(s, next *segment, accel float64) float64 {
	if s.rapid || next.rapid {
		return 0
	}
	a, b := s.direction(s.length), next.direction(0)
	dot := 0.0
	for i := range a {
		dot += a[i] * b[i]
	}
	if dot < 0.99 {
		return 0
	}
	return min(s.rate, next.rate, s.limit, next.limit, math.Sqrt(2*accel*next.length))
}

// approach moves v towards target by at most step.
func approach(v, target, step float64) float64 {
	if v < target {
		return min(v+step, target)
	}
	return max(v-step, target)
}
