package dmclient

import (
	"fmt"
	"io"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// maxHeld is how many bytes of a port may wait for their reader. A box in step sends [devicemaster.DeviceBuffer] at most;
// one block of the largest size is let pass.
const maxHeld = 128 << 10

// maxGarbled is how many reads with unknown messages are borne between two answers to pings.
const maxGarbled = 100

// read takes what the box sends until the connection ends.
func (l *Link) read() {
	dec := devicemaster.NewDecoder(devicemaster.FromDevice, devicemaster.DecoderOptions{})
	buf := make([]byte, 16<<10)
	for {
		n, err := l.conn.Read(buf)
		l.mu.Lock()
		l.stats.BytesIn += uint64(n)
		dec.Feed(buf[:n])
		l.receive(dec)
		if err != nil {
			if err == io.EOF {
				err = fmt.Errorf("the box closed the connection: %w", err)
			}
			l.end(err)
		}
		over := l.cause != nil
		l.mu.Unlock()
		l.changed()
		if over {
			return
		}
	}
}

// receive takes the messages that have come; mu is held.
func (l *Link) receive(dec *devicemaster.Decoder) {
	for l.cause == nil {
		m, ok, err := dec.Next()
		if err != nil {
			if l.opts.Unknown != nil {
				l.opts.Unknown(m.Raw, err)
			}
			if l.garbled++; l.garbled > maxGarbled {
				l.end(fmt.Errorf("%w: %w", ErrNotDeviceMaster, err))
			}
			continue
		}
		if !ok {
			break
		}
		l.message(&m)
	}
	s := dec.Stats()
	l.stats.Messages, l.stats.Unknown, l.stats.Dropped, l.stats.Zeros = s.Messages, s.Unknown, s.Dropped, s.Zeros
}

func (l *Link) message(m *devicemaster.Message) {
	switch m.Op {
	case devicemaster.OpPing:
		l.pong()
		return
	case devicemaster.OpAssigned:
		l.session = true // a second one is the box's affair
		l.assigned.ring()
		return
	case devicemaster.OpSelect:
		return
	}
	if !m.Selected || int(m.Port) >= l.Ports() {
		l.stats.Strays++
		return
	}
	s := &l.slots[m.Port]
	if m.Op == devicemaster.OpStatus {
		l.status(s, devicemaster.Status(m.Value), m.Inputs)
		return
	}
	p := s.port
	if p == nil {
		l.stats.Strays++
		return
	}
	switch m.Op {
	case devicemaster.OpTotal:
		if lost, ok := p.flow.Ack(uint16(m.Value)); !ok {
			l.stats.Resyncs++
			p.uncertain += lost
		}
		p.writable.ring()
	case devicemaster.OpData:
		p.take(m.Data)
	case devicemaster.OpInputs:
		p.event.Inputs = devicemaster.Inputs(m.Value)
		p.happened()
	case devicemaster.OpErrors:
		p.count(devicemaster.LineErrors(m.Value))
	case devicemaster.OpIdle:
		p.event.Idle = true
		p.happened()
	case devicemaster.OpActionDone:
		p.done, p.doneAt = min(p.done+1, p.asked), p.taken
		p.changed.ring()
	}
}

func (l *Link) pong() {
	l.pongAt = time.Now()
	if l.pingsIn < l.pingsOut { // among garbage, bytes that look like answers come unasked
		l.pingsIn++
		l.garbled = 0
	}
	if l.pingsIn == l.pingsOut {
		l.stats.RTT = l.pongAt.Sub(l.lastPing)
	}
	l.synced.ring()
}

// status is the box's word on who has a port.
func (l *Link) status(s *slot, status devicemaster.Status, inputs devicemaster.Inputs) {
	p := s.port
	switch status {
	case devicemaster.Opened:
		s.busy = false
		if p != nil {
			p.event.Inputs = inputs
			if p.state == opening {
				p.state = assigned
			}
			p.happened()
			p.changed.ring()
		}
	case devicemaster.Busy:
		s.busy = true
		if p != nil {
			p.end(ErrBusy)
			s.port = nil
		}
	default:
		if status == devicemaster.Released {
			s.releases++
		} else if p != nil && p.state < ready {
			break // the late answer to a close before this opening
		}
		if p != nil {
			if p.state == closing {
				p.state = closed
			} else {
				p.end(ErrLost)
			}
			p.changed.ring()
			s.port = nil
		}
	}
	s.answered.ring()
}
