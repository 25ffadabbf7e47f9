package atem

import "time"

// tick does what time alone brings about.
func (s *Session) tick(now time.Time) {
	switch s.phase {
	case PhaseOpening:
		if s.tries > MaxResends && !now.Before(s.step) {
			if s.server {
				s.end(now, ErrNoAnswer)
			} else {
				s.over(ErrNoAnswer)
			}
		}
	case PhaseUp:
		switch {
		case now.Sub(s.heard) >= SilenceLimit:
			s.end(now, ErrSilent)
		case len(s.queue) == 0 && now.Sub(s.spoke) >= PingEvery:
			s.queue = append(s.queue, outgoing{})
		default:
			for i := range s.queue[:s.sent] {
				if q := &s.queue[i]; q.resends >= MaxResends && now.Sub(q.at) >= ResendAfter {
					s.end(now, ErrUnacknowledged)
					return
				}
			}
		}
	case PhaseClosing:
		if s.tries > 1 && !now.Before(s.step) {
			s.over(nil)
		}
	}
}

// Next appends the next datagram that is to be sent now to b; ok is false when there is none.
func (s *Session) Next(now time.Time, b []byte) (_ []byte, ok bool) {
	s.tick(now)
	if s.oweClosed {
		s.oweClosed = false
		return Handshake{Step: StepClosed}.Append(b, s.id, 0), true
	}
	switch s.phase {
	case PhaseOpening:
		return s.nextOpening(now, b)
	case PhaseUp:
		return s.nextUp(now, b)
	case PhaseClosing:
		if now.Before(s.step) {
			return b, false
		}
		flags := resentIf(s.tries > 0)
		s.step = now.Add(ResendAfter)
		s.tries++
		if s.id == 0 {
			return b, false // an accept may be on its way, and with it the number to close with
		}
		return Handshake{Step: StepClosing}.Append(b, s.id, flags), true
	}
	return b, false
}

func resentIf(yes bool) Flags {
	if yes {
		return FlagResent
	}
	return 0
}

func (s *Session) nextOpening(now time.Time, b []byte) ([]byte, bool) {
	accept := Handshake{Step: StepAccept, Given: s.id &^ EstablishedBit}
	switch due := !now.Before(s.step); {
	case due && s.tries <= MaxResends:
		flags := resentIf(s.tries > 0)
		s.tries++
		s.step = now.Add(ResendAfter)
		s.oweAccept = false
		if s.server {
			return accept.Append(b, s.client, flags), true
		}
		return Handshake{Step: StepOpen}.Append(b, s.client, flags), true
	case s.oweAccept:
		s.oweAccept = false
		return accept.Append(b, s.client, FlagResent), true
	}
	return b, false
}

func (s *Session) nextUp(now time.Time, b []byte) ([]byte, bool) {
	if s.oweOpened {
		s.oweOpened = false
		return s.packet(b, &Packet{Flags: FlagAck, Session: s.client}), true
	}
	if s.want {
		s.want = false
		return s.packet(b, &Packet{Flags: FlagWanted, Session: s.id, Wanted: (s.taken + 1) & NumberMask}), true
	}
	if s.id == 0 {
		return b, false // the first packet of the switcher will tell
	}
	if s.again.from < s.again.to {
		s.again.from++
		return s.resend(now, b, s.again.from-1), true
	}
	for i := range s.queue[:s.sent] {
		if q := &s.queue[i]; now.Sub(q.at) >= ResendAfter {
			q.resends++
			return s.resend(now, b, i), true
		}
	}
	if s.sent < len(s.queue) && s.sent < s.opt.Window {
		s.last = (s.last + 1) & NumberMask
		s.queue[s.sent].at, s.spoke = now, now
		s.sent++
		s.stats.Sent++
		return s.transmit(b, s.sent-1, 0), true
	}
	if s.owed > 0 && !now.Before(s.ackBy) {
		s.owed = 0
		return s.packet(b, &Packet{Flags: FlagAck, Session: s.id, Ack: s.taken}), true
	}
	return b, false
}

func (s *Session) resend(now time.Time, b []byte, i int) []byte {
	s.queue[i].at, s.queue[i].twice, s.spoke = now, true, now
	s.stats.Resent++
	return s.transmit(b, i, FlagResent)
}

// transmit appends the packet at place i of the queue, which carries the acknowledgement that is owed.
func (s *Session) transmit(b []byte, i int, flags Flags) []byte {
	p := Packet{Flags: FlagNumbered | flags, Session: s.id, Number: (s.last - uint16(s.sent-1-i)) & NumberMask, Payload: s.queue[i].payload}
	if s.owed > 0 {
		p.Flags |= FlagAck
		p.Ack = s.taken
		s.owed = 0
	}
	return s.packet(b, &p)
}

// packet appends p, whose size Queue has checked.
func (s *Session) packet(b []byte, p *Packet) []byte {
	b, _ = p.Append(b)
	return b
}

// Deadline is when [Session.Next] may have something to send or the session may end although nothing has happened; it has
// been asked until it had nothing more. Zero: never.
func (s *Session) Deadline() time.Time {
	var by time.Time
	at := func(t time.Time) {
		if by.IsZero() || t.Before(by) {
			by = t
		}
	}
	switch s.phase {
	case PhaseOpening, PhaseClosing:
		return s.step
	case PhaseUp:
		at(s.heard.Add(SilenceLimit))
		if len(s.queue) == 0 {
			at(s.spoke.Add(PingEvery))
		}
		for i := range s.queue[:s.sent] {
			at(s.queue[i].at.Add(ResendAfter))
		}
		if s.owed > 0 {
			at(s.ackBy)
		}
	}
	return by
}
