package focasclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Causes of a transfer's end that are neither the control's nor the network's.
var (
	ErrTransferBusy = errors.New("another transfer is running on this session: wait for it to end")
	ErrTransferSize = errors.New("more data than the transfer's limit")
	ErrNothingSent  = errors.New("the control sent nothing: it has no such program, or it is empty")
)

// DefaultMaxTransfer is how many bytes a transfer carries at most when its limit is 0.
const DefaultMaxTransfer = 64 << 20

// Transfer says what is transferred on channel 1.
type Transfer struct {
	Kind     focas.TransferKind
	File     string            // file specification: [focas.NamedFile], [focas.NumberedFiles], or empty for a download into the current folder
	MaxBytes int64             // 0 is [DefaultMaxTransfer]
	Progress func(bytes int64) // called after each piece with the total so far, from the calling goroutine; may be nil
}

func (t Transfer) limit() int64 {
	if t.MaxBytes > 0 {
		return t.MaxBytes
	}
	return DefaultMaxTransfer
}

func (t Transfer) progress(total int64) {
	if t.Progress != nil {
		t.Progress(total)
	}
}

// Upload copies a program or data from the control to w (cnc_upstart4, cnc_upload4, cnc_upend4) and returns how many
// bytes w took. Program text comes as the control sends it: it begins with LF and ends with %. A refusal is a
// *[focas.Error]. When ctx ends, w fails or the limit is passed, the control is told to stop (frame 18 04). Channel 1 is
// opened for the transfer and closed after it; whatever happens on it leaves the rest of the session alone.
func (p Path) Upload(ctx context.Context, t Transfer, w io.Writer) (int64, error) {
	u := upload{t: t, w: w}
	err := p.transfer(ctx, "upload", t, func(ch *channel, start *focas.TransferStart) error {
		u.ch = ch
		return u.run(ctx, start)
	})
	return u.total, err
}

// Download copies a program or data from r to the control (cnc_dwnstart4, cnc_download4, cnc_dwnend4) and returns how
// many bytes were sent. Program text must begin with LF and end with %; it goes as it is. The control can refuse at any
// time, with a *[focas.Error]; only a nil error says that it took everything. r is read from the calling goroutine, and a
// Read that blocks keeps Download from seeing that ctx has ended. Channel 1 is opened for the transfer and closed after
// it; whatever happens on it leaves the rest of the session alone.
func (p Path) Download(ctx context.Context, t Transfer, r io.Reader) (int64, error) {
	d := download{t: t, r: r}
	err := p.transfer(ctx, "download", t, func(ch *channel, start *focas.TransferStart) error {
		d.ch = ch
		return d.run(ctx, start)
	})
	return d.total, err
}

// transfer runs one transfer on a channel 1 of its own.
func (p Path) transfer(ctx context.Context, op string, t Transfer, run func(*channel, *focas.TransferStart) error) error {
	start, err := focas.MakeTransferStart(t.Kind, p.n, t.File)
	if err != nil {
		return fmt.Errorf("focas %s %s: %w", op, p.c.addr, err)
	}
	ch, err := p.c.openTransfer(ctx)
	if err != nil {
		return fmt.Errorf("focas %s %q: %w", op, t.File, err)
	}
	defer p.c.endTransfer(ctx, ch)
	if err := ch.do(ctx, op, func() error { return run(ch, &start) }); err != nil {
		return fmt.Errorf("%q: %w", t.File, err)
	}
	return nil
}

// openTransfer opens channel 1, unless a transfer holds it or the session has ended.
func (c *Client) openTransfer(ctx context.Context) (*channel, error) {
	c.mu.Lock()
	busy := c.transferring
	c.transferring = true
	c.mu.Unlock()
	if busy {
		return nil, fmt.Errorf("%s: %w", c.addr, ErrTransferBusy)
	}
	free := func() {
		c.mu.Lock()
		c.transfer, c.transferring = nil, false
		c.mu.Unlock()
	}
	if c.ended() {
		free()
		return nil, fmt.Errorf("%s: %w", c.addr, c.data.closedError())
	}
	ch, _, err := openChannel(ctx, c.open, c.addr, focas.ChannelTransfer, c.timeout, &c.stats)
	if err != nil {
		free()
		return nil, err
	}
	c.mu.Lock()
	c.transfer = ch
	c.mu.Unlock()
	if c.ended() { // closed while channel 1 was being opened: Close may not have seen it
		ch.close(ctx)
		free()
		return nil, fmt.Errorf("%s: %w", c.addr, c.data.closedError())
	}
	return ch, nil
}

func (c *Client) ended() bool {
	select {
	case <-c.data.closing:
		return true
	default:
		return false
	}
}

// endTransfer closes channel 1 politely, also when ctx has ended; it does nothing polite to a channel that has failed.
func (c *Client) endTransfer(ctx context.Context, ch *channel) {
	ch.close(context.WithoutCancel(ctx))
	c.mu.Lock()
	c.transfer, c.transferring = nil, false
	c.mu.Unlock()
}

// frame reads the next frame of a transfer. An error frame of type t or of also becomes a *focas.Error.
func (ch *channel) frame(t ...focas.Type) (focas.Frame, error) {
	f, err := ch.next()
	if err != nil {
		return f, err
	}
	ch.stats.received(focas.HeaderSize + len(f.Body))
	for _, want := range t {
		if f.Type != want {
			continue
		}
		if f.Dir != focas.DirError {
			return f, nil
		}
		body, err := focas.ParseErrorBody(f.Body)
		if err != nil {
			return f, err
		}
		return f, fmt.Errorf("%v refused: %w", f.Type, body.Err(0))
	}
	return f, fmt.Errorf("%w: %v %v, expected %v", ErrStale, f.Type, f.Dir, t[0])
}

// rearm gives the next step the channel's whole timeout. The context's own end cannot be lost: it is looked at after the
// deadline is set, and sets a deadline of its own when it comes later.
func (ch *channel) rearm(ctx context.Context) error {
	if err := ch.arm(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// upload is one transfer from the control.
type upload struct {
	ch    *channel
	t     Transfer
	w     io.Writer
	total int64
}

func (u *upload) run(ctx context.Context, start *focas.TransferStart) error {
	if err := u.ch.sendOwn(focas.AppendUploadStart(u.ch.out[:0], start)); err != nil {
		return err
	}
	f, err := u.ch.frame(focas.TypeUploadStart)
	if err != nil {
		return err
	}
	if f.Dir != focas.DirReply || len(f.Body) != 0 {
		return fmt.Errorf("%w: %v %v of %d bytes", ErrStale, f.Type, f.Dir, len(f.Body))
	}
	for {
		if err := u.ch.rearm(ctx); err != nil {
			return u.cancel(err)
		}
		f, err := u.ch.frame(focas.TypeUploadData, focas.TypeUploadEnd)
		switch {
		case err != nil && contextEnd(ctx) != nil:
			return u.cancel(contextEnd(ctx))
		case err != nil:
			return err
		case f.Type == focas.TypeUploadData && f.Dir == focas.DirPush:
			if err := u.take(f.Body); err != nil {
				return u.cancel(err)
			}
		case f.Type == focas.TypeUploadEnd && f.Dir == focas.DirRequest:
			if err := u.ch.sendOwn(focas.AppendUploadEnd(u.ch.out[:0])); err != nil {
				return err
			}
			if u.total == 0 {
				return ErrNothingSent
			}
			return nil
		default:
			return fmt.Errorf("%w: %v %v during an upload", ErrStale, f.Type, f.Dir)
		}
	}
}

// take writes one piece. An empty first one is how a control says that it has no such program (public code).
func (u *upload) take(b []byte) error {
	if len(b) == 0 && u.total == 0 {
		return ErrNothingSent
	}
	if u.total+int64(len(b)) > u.t.limit() {
		return fmt.Errorf("%w of %d bytes", ErrTransferSize, u.t.limit())
	}
	n, err := u.w.Write(b)
	u.total += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	u.t.progress(u.total)
	return err
}

// cancel tells the control to stop, without waiting for what is under way, and returns cause. The watch lets go first: it
// runs on a goroutine of its own, and would otherwise cut off the very frame that the end of the context calls for.
func (u *upload) cancel(cause error) error {
	u.ch.watch.end()
	u.ch.conn.SetDeadline(time.Now().Add(closeWait))
	_ = u.ch.sendOwn(focas.AppendUploadCancel(u.ch.out[:0])) // the cause is what the caller hears of
	return cause
}

// download is one transfer to the control.
type download struct {
	ch    *channel
	t     Transfer
	r     io.Reader
	total int64

	mu   sync.Mutex // between the sender, who sets the write deadline, and the listener, who ends it
	over bool       // the control has answered with something else than its reply to the end
}

func (d *download) run(ctx context.Context, start *focas.TransferStart) error {
	if err := d.ch.sendOwn(focas.AppendDownloadStart(d.ch.out[:0], start)); err != nil {
		return err
	}
	f, err := d.ch.frame(focas.TypeDownloadStart)
	if err != nil {
		return err
	}
	if f.Dir != focas.DirReply {
		return fmt.Errorf("%w: %v %v", ErrStale, f.Type, f.Dir)
	}
	// The control may refuse while data are still being pushed, so somebody listens all the time.
	if err := d.ch.conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	answered := make(chan struct{})
	var answer error
	go func() {
		defer close(answered)
		if answer = d.answer(); answer != nil {
			d.stop()
		}
	}()
	err = d.push(ctx, answered)
	if err == nil {
		<-answered
		return answer
	}
	d.ch.conn.SetReadDeadline(time.Unix(1, 0))
	<-answered
	if answer == nil || errors.Is(answer, os.ErrDeadlineExceeded) {
		return err
	}
	if err != errEarly {
		d.ch.fail(answer) // a frame may be half sent
	}
	return answer
}

// answer waits for the frame that ends a download: the control's reply to the end, or its refusal at any time.
func (d *download) answer() error {
	f, err := d.ch.frame(focas.TypeDownloadEnd, focas.TypeDownloadData)
	if err != nil {
		return err
	}
	if f.Type != focas.TypeDownloadEnd || f.Dir != focas.DirReply {
		return fmt.Errorf("%w: %v %v during a download", ErrStale, f.Type, f.Dir)
	}
	return nil
}

// push sends all data and the end. It stops early when the control has answered.
func (d *download) push(ctx context.Context, answered <-chan struct{}) error {
	buf := make([]byte, focas.MaxTransferData)
	for {
		n, err := io.ReadFull(d.r, buf)
		end := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !end {
			return fmt.Errorf("read the data: %w", err)
		}
		select {
		case <-answered:
			return errEarly
		default:
		}
		if err := d.armWrite(ctx); err != nil {
			return err
		}
		if n > 0 {
			if d.total+int64(n) > d.t.limit() {
				return fmt.Errorf("%w of %d bytes", ErrTransferSize, d.t.limit())
			}
			if err := d.ch.sendOwn(focas.AppendDownloadData(d.ch.out[:0], buf[:n])); err != nil {
				return err
			}
			d.total += int64(n)
			d.t.progress(d.total)
		}
		if end {
			return d.finish(ctx)
		}
	}
}

// stop ends a push that the control no longer reads, and every later one.
func (d *download) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	d.ch.conn.SetWriteDeadline(time.Unix(1, 0))
}

// errEarly is what ends a push when the control has answered before the end of the data.
var errEarly = fmt.Errorf("%w: the control ended the download before the end of the data", ErrStale)

// armWrite gives the next frame the channel's whole timeout; like rearm, but the listener goes on waiting. It does not
// take back the end that the listener has set.
func (d *download) armWrite(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return errEarly
	}
	if err := d.ch.conn.SetWriteDeadline(time.Now().Add(d.ch.timeout)); err != nil {
		return err
	}
	return ctx.Err()
}

// finish sends the end and gives the answer the channel's whole timeout.
func (d *download) finish(ctx context.Context) error {
	if err := d.ch.conn.SetReadDeadline(time.Now().Add(d.ch.timeout)); err != nil {
		return err
	}
	if err := d.armWrite(ctx); err != nil {
		return err
	}
	return d.ch.sendOwn(focas.AppendDownloadEnd(d.ch.out[:0]))
}
