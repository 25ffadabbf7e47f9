package atem

import (
	"errors"
	"time"
)

// The times of a session, as the maker's software and switchers keep them (seen, by black-box tests of both).
const (
	ResendAfter  = 200 * time.Millisecond // an open, an accept, a closing, and every numbered packet without an answer
	MaxResends   = 10                     // then the session is over
	PingEvery    = 500 * time.Millisecond // an empty numbered packet, when there was nothing to say
	SilenceLimit = 5 * time.Second        // without a packet of the peer: it is gone
)

// Pauses between requests for the same missing packet, so that a burst behind a gap asks once and is answered once.
const (
	askAgain    = 20 * time.Millisecond
	answerAgain = 10 * time.Millisecond
)

// Phase is where a session stands.
type Phase uint8

// The phases, in order; a session never goes back.
const (
	PhaseOpening Phase = iota // not agreed yet
	PhaseUp                   // packets go both ways
	PhaseClosing              // this side has said that it ends, and waits for the answer
	PhaseOver                 // nothing is kept any more
)

// String is the phase in a word.
func (p Phase) String() string {
	return [...]string{"opening", "up", "closing", "over"}[min(p, PhaseOver)]
}

// Why a session is over.
var (
	ErrNoAnswer       = errors.New("nothing answers the opening")
	ErrFull           = errors.New("all sessions of the switcher are taken")
	ErrPeerClosed     = errors.New("the other side has closed the session")
	ErrSilent         = errors.New("nothing was heard for five seconds")
	ErrUnacknowledged = errors.New("a packet was not acknowledged after ten resends")
	ErrBacklog        = errors.New("too much waits for this session")
	ErrEnded          = errors.New("the session has ended")
)

// SessionOptions bound a session. The zero value is good.
type SessionOptions struct {
	// Window is how many packets may be on their way without an acknowledgement. 0: 128, which has room for the largest
	// dump that is known, since some programs acknowledge nothing of it at first.
	Window int
	// Backlog is how many packets may wait or be on their way before the session ends with [ErrBacklog]. 0: 1024.
	Backlog int
	// AckDelay is how long an acknowledgement may wait for more to acknowledge, or for a packet to travel with; after 16
	// packets it waits no longer. 0: it goes out with the next call of Next.
	AckDelay time.Duration
}

// ackEvery is how many packets are acknowledged at the latest, whatever the delay.
const ackEvery = 16

func (o SessionOptions) withDefaults() SessionOptions {
	if o.Window <= 0 {
		o.Window = 128
	}
	if o.Backlog <= 0 {
		o.Backlog = 1024
	}
	return o
}

// SessionStats count what a session has done.
type SessionStats struct {
	Sent     uint64        // numbered packets, once each
	Received uint64        // numbered packets that were taken in
	Resent   uint64        // packets sent again, for want of an answer or on request
	Repeated uint64        // packets of the peer that had arrived before
	Gaps     uint64        // packets of the peer that came before one that is missing
	Foreign  uint64        // packets with the session number of another session
	RTT      time.Duration // smoothed, from a packet to its acknowledgement; 0: none yet
}

// Session is one side of one session over UDP: opening, numbers, acknowledgements, resends, pings and closing. It does no
// I/O and knows no clock: the caller hands it the packets that arrive and the time, and asks it for the packets to send.
//
// The loop is: [Session.Receive] for each datagram, [Session.Queue] for what there is to say, then [Session.Next] until it
// has nothing more, then wait until [Session.Deadline] or the next event. Numbered packets reach the peer once each and in
// order, or the session ends. It is not safe for concurrent use.
type Session struct {
	server bool
	opt    SessionOptions
	phase  Phase
	err    error
	client uint16 // the number that the client opened with
	id     uint16 // of packets after the opening; 0: not known yet
	unsure bool   // client: the first numbered packet settles id

	heard time.Time // when the peer's last packet came
	began time.Time

	// What goes out.
	queue   []outgoing // the first sent of them are on their way
	sent    int
	last    uint16 // number of the last packet that was sent
	spoke   time.Time
	again   span // of queue: to be sent again because the peer asked
	asked   uint16
	askedAt time.Time

	// What comes in.
	taken    uint16 // number of the last packet that was taken in
	owed     int    // packets to be acknowledged
	ackBy    time.Time
	want     bool // ask for the packet after taken
	wantedOf uint16
	wantedAt time.Time

	// Handshake packets.
	step      time.Time // when the next open, accept or closing is due
	tries     int
	oweOpened bool // client: acknowledge the accept
	oweAccept bool // server: repeat the accept
	oweClosed bool

	stats SessionStats
}

type outgoing struct {
	payload []byte
	at      time.Time
	resends int  // for want of an answer
	twice   bool // sent more than once, so its acknowledgement says nothing about the time it took
}

// span is from, to of the queue; empty when from >= to.
type span struct{ from, to int }

// OpenSession is the side of a client that asks for a session; client is its choice of 15 bits.
func OpenSession(now time.Time, client uint16, o SessionOptions) *Session {
	return &Session{opt: o.withDefaults(), client: client &^ EstablishedBit, unsure: true, began: now, heard: now, step: now}
}

// AcceptSession is the side of a switcher that has got an open from client and gives it the number given, which is 1 to
// 0x7fff.
func AcceptSession(now time.Time, client, given uint16, o SessionOptions) *Session {
	return &Session{server: true, opt: o.withDefaults(), client: client, id: given | EstablishedBit, began: now, heard: now, step: now}
}

// Phase is where the session stands.
func (s *Session) Phase() Phase { return s.phase }

// Err is why the session is over or about to be; nil while it lives, and when this side has closed it.
func (s *Session) Err() error { return s.err }

// ID is the session's number after the opening, with [EstablishedBit]; 0 while it is not known.
func (s *Session) ID() uint16 { return s.id }

// ClientID is the number that the client opened with.
func (s *Session) ClientID() uint16 { return s.client }

// Waiting is how many packets are on their way or wait to be.
func (s *Session) Waiting() int { return len(s.queue) }

// Stats are the counters.
func (s *Session) Stats() SessionStats { return s.stats }

// Queue adds a packet, which will be sent with a number. The session keeps the payload until it is acknowledged, and it
// must not change meanwhile; several sessions may share one. The error is [ErrEnded] after the session's end and
// [ErrBacklog] when too much waits, which ends it.
func (s *Session) Queue(now time.Time, payload []byte) error {
	switch {
	case s.phase > PhaseUp:
		return ErrEnded
	case len(s.queue) >= s.opt.Backlog:
		s.end(now, ErrBacklog)
		return ErrBacklog
	case len(payload) > MaxPacket-PacketHeaderSize:
		return ErrPacketLong
	}
	s.queue = append(s.queue, outgoing{payload: payload})
	return nil
}

// Close ends the session: the peer is told, so that it can give its place to somebody else. It is over when the answer
// has come, or after 400 ms.
func (s *Session) Close(now time.Time) { s.end(now, nil) }

// Abandon ends the session at once and without a word, as if this side had lost its power.
func (s *Session) Abandon() { s.over(nil) }

// end begins the closing, with the reason.
func (s *Session) end(now time.Time, why error) {
	if s.phase > PhaseUp {
		return
	}
	s.phase, s.err, s.step, s.tries = PhaseClosing, why, now, 0
	s.queue, s.sent, s.again, s.owed, s.want = nil, 0, span{}, 0, false
}

// over ends the session without a word.
func (s *Session) over(why error) {
	if s.phase < PhaseClosing {
		s.err = why
	}
	s.phase = PhaseOver
	s.queue, s.sent, s.again, s.owed, s.want = nil, 0, span{}, 0, false
}

func (s *Session) up(now time.Time) {
	s.phase, s.spoke = PhaseUp, now
	if s.server {
		// The first packet of a switcher is empty (seen). Some programs acknowledge nothing before they have had one.
		s.queue = append([]outgoing{{}}, s.queue...)
	}
}
