package atem

import "time"

// Receive takes a packet that came from the peer's address. fresh is true when it carries the next payload in order, which
// points into the packet; an empty one is a ping.
func (s *Session) Receive(now time.Time, p *Packet) (payload []byte, fresh bool) {
	if p.Flags&FlagHandshake != 0 {
		s.handshake(now, p)
		return nil, false
	}
	switch {
	case s.id != 0 && p.Session == s.id:
	case s.server && p.Session == s.client:
		// The acknowledgement of the accept still has the client's number.
		if s.phase == PhaseOpening && p.Flags&FlagAck != 0 {
			s.heard = now
			s.up(now)
		}
		return nil, false
	case s.unsure && s.phase == PhaseUp && p.Session&EstablishedBit != 0 && p.Flags&FlagNumbered != 0:
		s.id = p.Session // what the accept said was something else: the packets count
	default:
		s.stats.Foreign++
		return nil, false
	}
	if s.phase > PhaseUp {
		return nil, false // what comes after a closing is void
	}
	s.heard = now
	if s.phase == PhaseOpening {
		if !s.server {
			return nil, false
		}
		s.up(now) // the client goes on, so it has had the accept
	}
	if p.Flags&FlagAck != 0 {
		s.acknowledged(now, p.Ack)
	}
	if p.Flags&FlagWanted != 0 {
		s.wanted(now, p.Wanted)
	}
	if p.Flags&FlagNumbered == 0 {
		return nil, false
	}
	return s.numbered(now, p)
}

// numbered takes a packet in if it is the next one. How far ahead a number may be before it counts as one that came
// before was measured on switchers and on the maker's software.
func (s *Session) numbered(now time.Time, p *Packet) ([]byte, bool) {
	switch distance := (p.Number - (s.taken + 1)) & NumberMask; {
	case distance == 0:
		s.taken = p.Number & NumberMask
		s.unsure, s.want = false, false
		s.stats.Received++
		s.owe(now, 1)
		return p.Payload, true
	case distance >= 0x3fff:
		s.stats.Repeated++
		s.owe(now, ackEvery)
	default:
		s.stats.Gaps++
		if s.wantedOf != s.taken || s.wantedAt.IsZero() || now.Sub(s.wantedAt) >= askAgain {
			s.want, s.wantedOf, s.wantedAt = true, s.taken, now
		}
	}
	return nil, false
}

func (s *Session) owe(now time.Time, n int) {
	if s.owed == 0 {
		s.ackBy = now.Add(s.opt.AckDelay)
	}
	s.owed += n
	if s.owed >= ackEvery {
		s.ackBy = now
	}
}

// inFlight is the place of a number in the queue; -1 when it is not on its way.
func (s *Session) inFlight(number uint16) int {
	first := s.last - uint16(s.sent) + 1
	if i := int((number - first) & NumberMask); i < s.sent {
		return i
	}
	return -1
}

// acknowledged forgets everything up to number. A number that is not on its way says nothing: it is late, or was never
// sent.
func (s *Session) acknowledged(now time.Time, number uint16) {
	i := s.inFlight(number)
	if i < 0 {
		return
	}
	if q := &s.queue[i]; !q.twice {
		s.measure(now.Sub(q.at))
	}
	n := i + 1
	clear(s.queue[:n])
	s.queue = s.queue[n:]
	if len(s.queue) == 0 {
		s.queue = nil
	}
	s.sent -= n
	s.again = span{max(s.again.from-n, 0), max(s.again.to-n, 0)}
}

func (s *Session) measure(d time.Duration) {
	if s.stats.RTT == 0 {
		s.stats.RTT = d
		return
	}
	s.stats.RTT += (d - s.stats.RTT) / 8
}

// wanted marks everything from number on as to be sent again: a receiver keeps nothing behind a gap.
func (s *Session) wanted(now time.Time, number uint16) {
	number &= NumberMask
	i := s.inFlight(number)
	if i < 0 || number == s.asked && now.Sub(s.askedAt) < answerAgain {
		return
	}
	s.asked, s.askedAt, s.again = number, now, span{i, s.sent}
}

func (s *Session) handshake(now time.Time, p *Packet) {
	h := p.Handshake()
	switch h.Step {
	case StepOpen:
		if s.server && s.phase == PhaseOpening && p.Session == s.client {
			s.oweAccept = true
		}
	case StepAccept:
		if !s.server && p.Session == s.client {
			s.accepted(now, h.Given)
		}
	case StepReject:
		if !s.server && s.phase == PhaseOpening && p.Session == s.client {
			s.over(ErrFull)
		}
	case StepClosing:
		switch {
		case s.mine(p.Session) && s.phase < PhaseOver:
			s.oweClosed = true
			s.over(ErrPeerClosed)
		case !s.server && s.phase == PhaseOpening && p.Session == s.client:
			s.over(ErrPeerClosed)
		}
	case StepClosed:
		if s.mine(p.Session) && s.phase == PhaseClosing {
			s.over(nil)
		}
	}
}

// mine reports whether a closing or its answer is about this session. Some peers leave the upper bit out.
func (s *Session) mine(session uint16) bool {
	return s.id != 0 && session|EstablishedBit == s.id
}

func (s *Session) accepted(now time.Time, given uint16) {
	switch {
	case s.phase == PhaseOpening:
		s.heard = now
		s.oweOpened = true
		s.setGiven(given)
		s.up(now)
	case s.phase == PhaseUp && (given|EstablishedBit == s.id || s.unsure):
		s.oweOpened = true
	case s.phase == PhaseClosing && s.id == 0:
		s.setGiven(given) // now the closing can be said
		s.step, s.tries = now, 0
	}
}

func (s *Session) setGiven(given uint16) {
	if given != 0 {
		s.id = given | EstablishedBit
	}
}
