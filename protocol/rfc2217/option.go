package rfc2217

// qState is the state of one option on one side, after RFC 1143.
type qState uint8

const (
	qNo qState = iota
	qYes
	qWantNo
	qWantNoOpposite // off was asked for, and on is wanted after it
	qWantYes
	qWantYesOpposite
)

// MaxFlips is how often the peer may change one option of one side. A peer that goes on is in a loop, or wants us to be; it
// gets no answers for that option any more.
const MaxFlips = 32

// side is one side's half of an option.
type side struct {
	q     qState
	flips uint8
}

// Negotiator keeps the state of all telnet options of a connection and says what to answer. It cannot be drawn into a loop: it
// answers only what changes something, and each option only [MaxFlips] times. It is not safe for concurrent use.
type Negotiator struct {
	// Accept says whether an option may be switched on when the peer asks for it: local is ours (the peer says DO), else the
	// peer's (it says WILL). nil: none.
	Accept func(local bool, option byte) bool

	us, him [256]side
	ignored uint64
}

// Local reports whether an option is on for this side, Remote for the peer's.
func (n *Negotiator) Local(option byte) bool { return n.us[option].on() }

// Remote reports whether the peer has switched an option on.
func (n *Negotiator) Remote(option byte) bool { return n.him[option].on() }

// Pending reports whether an answer about this side's option is still to come.
func (n *Negotiator) Pending(local bool, option byte) bool {
	s := n.at(local, option)
	return s.q != qNo && s.q != qYes
}

// Ignored is how many requests got no answer because the peer went on changing its mind.
func (n *Negotiator) Ignored() uint64 { return n.ignored }

func (s *side) on() bool { return s.q == qYes || s.q == qWantNo || s.q == qWantNoOpposite }

func (n *Negotiator) at(local bool, option byte) *side {
	if local {
		return &n.us[option]
	}
	return &n.him[option]
}

// verb is what says on or off about a side: WILL and WONT about ours, DO and DONT about the peer's.
func verb(local, on bool) byte {
	switch {
	case local && on:
		return WILL
	case local:
		return WONT
	case on:
		return DO
	}
	return DONT
}

// Ask appends the request to switch an option on or off, when there is something to ask.
func (n *Negotiator) Ask(dst []byte, local bool, option byte, on bool) []byte {
	s := n.at(local, option)
	switch {
	case on && s.q == qNo:
		s.q = qWantYes
	case !on && s.q == qYes:
		s.q = qWantNo
	case on && s.q == qWantNo:
		s.q = qWantNoOpposite
		return dst
	case !on && s.q == qWantNoOpposite:
		s.q = qWantNo
		return dst
	case !on && s.q == qWantYes:
		s.q = qWantYesOpposite
		return dst
	case on && s.q == qWantYesOpposite:
		s.q = qWantYes
		return dst
	default:
		return dst
	}
	return append(dst, IAC, verb(local, on), option)
}

// Receive takes what the peer said and appends the answer, if there is one. changed reports that the option went on or off.
func (n *Negotiator) Receive(dst []byte, said, option byte) (out []byte, changed bool) {
	local := said == DO || said == DONT
	on := said == DO || said == WILL
	s := n.at(local, option)
	before := s.on()
	if on != before && (s.q == qNo || s.q == qYes) {
		if s.flips >= MaxFlips {
			n.ignored++
			return dst, false
		}
		s.flips++
	}
	answer := func(on bool) { dst = append(dst, IAC, verb(local, on), option) }
	if on {
		switch s.q {
		case qNo:
			if n.Accept != nil && n.Accept(local, option) {
				s.q = qYes
				answer(true)
			} else {
				answer(false)
			}
		case qWantNo: // it answers off with on; RFC 1143 calls that an error of the peer
			s.q = qNo
		case qWantNoOpposite, qWantYes:
			s.q = qYes
		case qWantYesOpposite:
			s.q = qWantNo
			answer(false)
		}
	} else {
		switch s.q {
		case qYes:
			s.q = qNo
			answer(false)
		case qWantNo, qWantYes, qWantYesOpposite:
			s.q = qNo
		case qWantNoOpposite:
			s.q = qWantYes
			answer(true)
		}
	}
	return dst, s.on() != before
}
