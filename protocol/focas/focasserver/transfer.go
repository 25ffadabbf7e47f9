package focasserver

import (
	"context"
	"errors"
	"io"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Transfers is an optional ability of a [Handler]: programs and other data over channel 1. Without it every transfer is
// refused with code 1. An error that is a *focas.Error reaches the client with its code and details, any other as code 13.
type Transfers interface {
	// Upload gives what the client asked for. It is read by a goroutine of its own until io.EOF or until the client stops,
	// and then closed.
	Upload(ctx context.Context, c *Conn, start focas.TransferStart) (io.ReadCloser, error)
	// Download takes what the client is going to send.
	Download(ctx context.Context, c *Conn, start focas.TransferStart) (Download, error)
}

// Download takes one transfer from the client. Write gets the text in pieces; its error is reported at once, and the rest
// of the transfer is thrown away. Exactly one of Commit and Abort is called at the end.
type Download interface {
	io.Writer
	// Commit is called when the client has sent everything; its error is the answer to the client.
	Commit(ctx context.Context) error
	// Abort is called when the client goes away or a Write has failed.
	Abort()
}

// download is a transfer from the client in work.
type download struct {
	to     Download
	size   int64
	failed *focas.Error // already reported; to is aborted
}

// upload is a transfer to the client in work: one goroutine pushes while the connection goes on reading.
type upload struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has returned
	err    error         // of the connection; valid after done
}

func (c *Conn) transfer(ctx context.Context, t Transfers, f focas.Frame) error {
	switch {
	case f.Type == focas.TypeUploadStart && f.Dir == focas.DirRequest:
		return c.uploadStart(ctx, t, f)
	case f.Type == focas.TypeUploadCancel && f.Dir == focas.DirPush, f.Type == focas.TypeUploadEnd && f.Dir == focas.DirReply:
		return nil // the upload has been stopped by the arrival of the frame
	case f.Type == focas.TypeDownloadStart && f.Dir == focas.DirRequest:
		return c.downloadStart(ctx, t, f)
	case f.Type == focas.TypeDownloadData && f.Dir == focas.DirPush:
		return c.downloadData(f)
	case f.Type == focas.TypeDownloadEnd && f.Dir == focas.DirRequest:
		return c.downloadEnd(ctx)
	}
	return c.refuse(f.Type, &focas.Error{Code: focas.EWFunc})
}

func (c *Conn) endTransfers() {
	c.abortDownload()
	if c.up != nil {
		c.tcp.Close() // ends a write to a client that does not read
		_ = c.uploadStop()
	}
}

func (c *Conn) uploadStart(ctx context.Context, t Transfers, f focas.Frame) error {
	c.abortDownload()
	start, err := focas.ParseTransferStart(f.Body)
	if err != nil {
		return c.refuse(f.Type, &focas.Error{Code: focas.EWLength})
	}
	from, err := t.Upload(ctx, c, start)
	if err != nil {
		return c.refuse(f.Type, refusal(err))
	}
	if err := c.send(focas.TypeUploadStart, focas.DirReply, nil); err != nil {
		from.Close()
		return err
	}
	pctx, cancel := context.WithCancel(ctx)
	c.up = &upload{cancel: cancel, done: make(chan struct{})}
	go func(up *upload) {
		defer close(up.done)
		defer from.Close()
		if up.err = c.push(pctx, from); up.err != nil {
			c.tcp.Close() // the reading side learns of it
		}
	}(c.up)
	return nil
}

// push sends data frames until from ends, then the end frame. Nothing at all is one empty data frame, as a real 30i was
// seen to answer about an unknown program (public).
func (c *Conn) push(ctx context.Context, from io.Reader) error {
	piece := make([]byte, focas.MaxTransferData)
	for first := true; ; first = false {
		n, err := io.ReadFull(from, piece)
		if ctx.Err() != nil {
			return nil
		}
		if n > 0 || first && err == io.EOF {
			if err := c.send(focas.TypeUploadData, focas.DirPush, piece[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return c.send(focas.TypeUploadEnd, focas.DirRequest, nil)
		default:
			return c.refuse(focas.TypeUploadData, refusal(err))
		}
	}
}

// uploadStop ends the pushing goroutine and waits for it. The client has either seen the end or does not want it.
func (c *Conn) uploadStop() error {
	if c.up == nil {
		return nil
	}
	up := c.up
	c.up = nil
	up.cancel()
	<-up.done
	return up.err
}

func (c *Conn) downloadStart(ctx context.Context, t Transfers, f focas.Frame) error {
	c.abortDownload()
	start, err := focas.ParseTransferStart(f.Body)
	if err != nil {
		return c.refuse(f.Type, &focas.Error{Code: focas.EWLength})
	}
	to, err := t.Download(ctx, c, start)
	if err != nil {
		return c.refuse(f.Type, refusal(err))
	}
	c.down = &download{to: to}
	return c.send(focas.TypeDownloadStart, focas.DirReply, nil)
}

// downloadData takes a piece. Nothing is sent back unless it is refused.
func (c *Conn) downloadData(f focas.Frame) error {
	d := c.down
	if d == nil {
		return c.refuse(f.Type, &focas.Error{Code: focas.EWReject})
	}
	if d.failed != nil {
		return nil
	}
	d.size += int64(len(f.Body))
	var err error
	if d.size > c.srv.opts.MaxDownload {
		err = &focas.Error{Code: focas.EWOvrFlow}
	} else {
		_, err = d.to.Write(f.Body)
	}
	if err == nil {
		return nil
	}
	d.failed = refusal(err)
	d.to.Abort()
	return c.refuse(f.Type, d.failed)
}

func (c *Conn) downloadEnd(ctx context.Context) error {
	d := c.down
	c.down = nil
	switch {
	case d == nil:
		return c.refuse(focas.TypeDownloadEnd, &focas.Error{Code: focas.EWReject})
	case d.failed != nil:
		return c.refuse(focas.TypeDownloadEnd, d.failed)
	}
	if err := d.to.Commit(ctx); err != nil {
		return c.refuse(focas.TypeDownloadEnd, refusal(err))
	}
	return c.send(focas.TypeDownloadEnd, focas.DirReply, nil)
}

func (c *Conn) abortDownload() {
	if c.down != nil && c.down.failed == nil {
		c.down.to.Abort()
	}
	c.down = nil
}

// refusal is what the client is told about err.
func refusal(err error) *focas.Error {
	var e *focas.Error
	if errors.As(err, &e) {
		return e
	}
	return &focas.Error{Code: focas.EWReject}
}
