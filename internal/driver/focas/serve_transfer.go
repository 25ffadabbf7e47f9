package focas

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
	"github.com/patchbay-io/patchbay/protocol/focas/focasserver"
)

var _ focasserver.Transfers = (*proxy)(nil)

// errAborted ends a transfer that the client has given up.
var errAborted = errors.New("the program has given the transfer up")

// refusalToClient is what a client is told when a transfer fails: the control's own word, or that it is busy with the
// transfer of another program.
func refusalToClient(err error) error {
	switch {
	case isRefusal(err):
		return err
	case errors.Is(err, focasclient.ErrTransferBusy):
		return &focas.Error{Code: focas.EWBusy}
	}
	return &focas.Error{Code: focas.EWReject}
}

func transferOf(start *focas.TransferStart) focasclient.Transfer {
	return focasclient.Transfer{Kind: start.Kind, File: start.Spec()}
}

// Upload brings what a program asks for from the control, over a second connection to it.
func (p *proxy) Upload(ctx context.Context, c *focasserver.Conn, start focas.TransferStart) (io.ReadCloser, error) {
	cl := p.client(c)
	if cl == nil || p.upstream.Load() != cl.up {
		return nil, &focas.Error{Code: focas.EWReject}
	}
	cl.requests.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	u := &uploading{pipe: r, in: bufio.NewReaderSize(r, focas.MaxTransferData), cancel: cancel, done: make(chan struct{}), client: cl}
	go func() {
		defer close(u.done)
		_, err := cl.up.client.Path(start.Path).Upload(ctx, transferOf(&start), w)
		switch {
		case err == nil, errors.Is(err, focasclient.ErrNothingSent):
			err = io.EOF
		default:
			err = refusalToClient(err)
		}
		w.CloseWithError(err)
	}()
	// The control's refusal must reach the program as the answer to its start.
	if _, err := u.in.Peek(1); err != nil && err != io.EOF {
		u.Close()
		return nil, err
	}
	return u, nil
}

// uploading is an upload on its way through.
type uploading struct {
	pipe   *io.PipeReader
	in     *bufio.Reader
	cancel context.CancelFunc
	done   chan struct{}
	client *client
}

func (u *uploading) Read(b []byte) (int, error) {
	n, err := u.in.Read(b)
	u.client.bytes.Add(uint64(n))
	return n, err
}

// Close stops the upload and waits for its end.
func (u *uploading) Close() error {
	u.pipe.CloseWithError(errAborted)
	u.cancel()
	<-u.done
	return nil
}

// Download sends what a program has to the control, when configuration and the gate let it.
func (p *proxy) Download(ctx context.Context, c *focasserver.Conn, start focas.TransferStart) (focasserver.Download, error) {
	cl := p.client(c)
	if cl == nil || p.upstream.Load() != cl.up {
		return nil, &focas.Error{Code: focas.EWReject}
	}
	cl.requests.Add(1)
	word := "download"
	if start.Kind != focas.TransferProgram {
		word += "-" + start.Kind.String()
	}
	action := driver.Action{Device: p.device, Raw: word, Value: device.OfString(strings.ToValidUTF8(start.Spec(), "?"))}
	var err error
	if !p.opts.Allow.downloads[start.Kind] {
		err = notAllowed(p.device, word, word)
	} else {
		err = p.env.Gate.Allow(cl.who(), action)
	}
	if err != nil {
		p.refuse(cl, action, err)
		return nil, &focas.Error{Code: focas.EWProt}
	}
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	d := &downloading{p: p, client: cl, action: action, w: w, cancel: cancel, done: make(chan struct{})}
	accepted := make(chan struct{})
	go func() {
		defer close(d.done)
		_, d.err = cl.up.client.Path(start.Path).Download(ctx, transferOf(&start), &firstRead{r: r, began: accepted})
		cl.up.changes.Add(1)
		end := errAborted
		if d.err != nil {
			end = refusalToClient(d.err)
		}
		r.CloseWithError(end)
	}()
	select {
	case <-accepted:
		return d, nil
	case <-d.done:
		cancel()
		d.report()
		return nil, refusalToClient(d.err)
	}
}

// firstRead tells when it is read for the first time: the control has accepted the start then.
type firstRead struct {
	r     io.Reader
	began chan struct{}
	once  sync.Once
}

func (f *firstRead) Read(b []byte) (int, error) {
	f.once.Do(func() { close(f.began) })
	return f.r.Read(b)
}

// downloading is a download on its way through.
type downloading struct {
	p      *proxy
	client *client
	action driver.Action
	w      *io.PipeWriter
	cancel context.CancelFunc
	done   chan struct{}
	err    error // of the transfer; valid after done
}

// Write passes a piece on; the control's refusal is its error.
func (d *downloading) Write(b []byte) (int, error) {
	d.client.bytes.Add(uint64(len(b)))
	return d.w.Write(b)
}

// Commit ends the transfer; its error is the control's answer.
func (d *downloading) Commit(context.Context) error {
	d.w.Close()
	<-d.done
	d.cancel()
	d.report()
	if d.err != nil {
		return refusalToClient(d.err)
	}
	return nil
}

// Abort ends the transfer without its end, so that the control keeps nothing of it.
func (d *downloading) Abort() {
	d.w.CloseWithError(errAborted)
	d.cancel()
	<-d.done
	d.report()
}

// report tells the gate how it ended.
func (d *downloading) report() {
	o := driver.Outcome{Stage: driver.Acked}
	switch {
	case isRefusal(d.err), errors.Is(d.err, focasclient.ErrTransferBusy):
		o = driver.Outcome{Stage: driver.Refused, Err: d.err}
	case d.err != nil:
		o = driver.Outcome{Stage: driver.Uncertain, Err: d.err}
	}
	d.p.env.Gate.Done(d.client.who(), d.action, o)
}
