package atem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswserver"
)

// The pace of an upload: bursts with pauses, since the buffers of switchers are small.
const (
	uploadBurst = 12
	uploadPause = 4 * time.Millisecond
	uploadLimit = 5 * time.Minute
)

// porter carries a file that a client has handed over as a whole. To the hub it is a client: it takes the lock and begins a
// transfer as any other does, and gives them back when it leaves.
type porter struct {
	mu     sync.Mutex
	inbox  []atem.Field
	wake   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (*porter) dump(*hub) {}

func (p *porter) close() { p.once.Do(func() { close(p.closed) }) }

// send keeps what belongs to transfers.
func (p *porter) send(pc *parcel) {
	for f, err := range atem.Fields(pc.payload) {
		if err != nil {
			return
		}
		switch kindOf(f.Code) {
		case forOwner, forXfer:
		default:
			continue
		}
		f.Body = bytes.Clone(f.Body)
		p.mu.Lock()
		p.inbox = append(p.inbox, f)
		p.mu.Unlock()
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

func (p *porter) take() []atem.Field {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.inbox
	p.inbox = nil
	return out
}

// Upload takes a file on, when its client may send files.
func (t *overTCP) Upload(c *oswserver.Conn, file *openswitcher.Upload) {
	p := (*proxy)(t)
	cl := c.Value.(*client)
	start := atem.StartUpload{Store: file.Store, Slot: file.Slot, Size: int32(file.RawSize), Mode: atem.TransferModeStill}
	ver := cl.hub.version()
	f, _, _ := atem.Next(start.Append(nil, ver)) // made just now
	a := driver.Action{Device: cl.hub.name, Raw: f.Code.String(), Value: device.OfString(fmt.Sprintf("%s name=%q", say(ver, &f), file.Name))}
	cl.commands.Add(1)
	if err := p.judge(cl, ver, &f, a); err != nil {
		p.refuse(cl, a, err)
		return
	}
	cl.did(a.Value.Str())
	p.uploads.Go(func() {
		outcome := driver.Outcome{Stage: driver.Acked}
		if err := p.carry(cl, ver, file); err != nil {
			outcome = driver.Outcome{Stage: driver.Refused, Err: err}
			p.env.Log.Warn("a file of a program did not get to the switcher", "client", cl.who.Addr, "file", a.Value.Str(), "error", err)
		} else {
			p.forwarded.Add(1)
			cl.peer.send(&parcel{payload: openswitcher.AppendUploaded(nil, file.Store, file.Slot)})
		}
		p.env.Gate.Done(cl.who, a, outcome)
	})
}

var errWentAway = errors.New("the switcher went away while the file was sent")

// carry sends a file to the switcher.
func (p *proxy) carry(cl *client, ver atem.Version, file *openswitcher.Upload) error {
	ctx, cancel := context.WithTimeout(p.serving, uploadLimit)
	defer cancel()
	data, err := atem.ExpandRuns(nil, file.Data, atem.MaxTransfer)
	if err != nil {
		return err
	}
	t, err := atem.NewUpload(1, atem.File{Store: atem.Store(file.Store), Slot: file.Slot, Mode: atem.TransferModeStill, Name: file.Name, Text: file.Text, Data: data}, ver)
	if err != nil {
		return err
	}
	po := &porter{wake: make(chan struct{}, 1), closed: make(chan struct{})}
	h, mine := cl.hub, &client{hub: cl.hub, peer: po, who: cl.who}
	if !h.join(mine) {
		return errAway
	}
	defer h.leave(mine)
	send := func(payload []byte) error {
		var orders []order
		for f, err := range atem.Fields(payload) {
			if err != nil {
				return err
			}
			orders = append(orders, order{field: f})
		}
		sent, err := h.forward(mine, orders)
		for i := range sent {
			if err == nil && !sent[i] {
				err = errTaken
			}
		}
		return err
	}
	if err := send(t.Start()); err != nil {
		return err
	}
	pause := time.NewTimer(uploadPause)
	defer pause.Stop()
	for !t.Done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-po.closed:
			return errWentAway
		case <-po.wake:
		case <-pause.C:
		}
		for _, f := range po.take() {
			if b := t.Handle(&f); b != nil {
				if err := send(b); err != nil {
					return err
				}
			}
		}
		for range uploadBurst {
			b := t.Next()
			if b == nil {
				break
			}
			if err := send(b); err != nil {
				return err
			}
			pause.Reset(uploadPause)
		}
	}
	return t.Err()
}
