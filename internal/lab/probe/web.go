package probe

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"syscall"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/plural"
)

// tls says hello and looks at the certificate. Nothing is sent inside the connection.
func (r *run) tls(ctx context.Context, addr string) {
	s := Step{Name: "tls", Target: addr}
	c, began, err := r.dial(ctx, "tcp", addr)
	if err != nil {
		s.Outcome, s.Meaning, s.Advice = connectWords(addr, err)
		r.done(s, began)
		return
	}
	w := watch(c, time.Now().Add(r.stepTimeout()))
	defer w.Close()
	// The certificate is looked at and not trusted: nothing secret goes over the connection.
	t := tls.Client(w, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10})
	ctx, cancel := context.WithTimeout(ctx, r.stepTimeout())
	defer cancel()
	err = t.HandshakeContext(ctx)
	s.Sent, s.Received = w.heads()
	var alert tls.AlertError
	switch {
	case err == nil:
		state := t.ConnectionState()
		s.Outcome, s.Meaning = OK, "it speaks "+tls.VersionName(state.Version)
		if len(state.PeerCertificates) > 0 {
			s.Found = certificate(state.PeerCertificates[0])
		}
	case errors.As(err, &alert):
		s.Outcome, s.Meaning = OK, "it speaks TLS and refuses the connection: "+alert.Error()
	default:
		s.Outcome, s.Meaning = noAnswer(w, err, s.Received, "TLS")
	}
	r.done(s, began)
}

func certificate(c *x509.Certificate) []string {
	out := []string{"certificate of " + c.Subject.String()}
	if len(c.DNSNames) > 0 {
		out = append(out, "for "+strings.Join(c.DNSNames, ", "))
	}
	sum := sha256.Sum256(c.Raw) // what the option fingerprint of a device takes
	return append(out, "until "+c.NotAfter.Format(time.DateOnly), "SHA-256 fingerprint "+hex.EncodeToString(sum[:]))
}

// http asks for the head of the first page.
func (r *run) http(ctx context.Context, addr string) {
	s := Step{Name: "http", Target: addr}
	c, began, err := r.dial(ctx, "tcp", addr)
	if err != nil {
		s.Outcome, s.Meaning, s.Advice = connectWords(addr, err)
		r.done(s, began)
		return
	}
	w := watch(c, time.Now().Add(r.stepTimeout()))
	defer w.Close()
	stop := context.AfterFunc(ctx, func() { _ = w.Conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	host, _, _ := net.SplitHostPort(addr)
	_, err = fmt.Fprintf(w, "HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host)
	if err == nil {
		var resp *http.Response
		resp, err = http.ReadResponse(bufio.NewReader(w), &http.Request{Method: http.MethodHead})
		if err == nil {
			_ = resp.Body.Close()
			s.Outcome, s.Meaning = OK, "it is a web server: "+resp.Status
			if v := resp.Header.Get("Server"); v != "" {
				s.Found = append(s.Found, "server "+textproto.TrimString(v))
			}
		}
	}
	s.Sent, s.Received = w.heads()
	if err != nil {
		s.Outcome, s.Meaning = noAnswer(w, err, s.Received, "HTTP")
	}
	r.done(s, began)
}

// noAnswer says why something does not speak a protocol of the web.
func noAnswer(w *watched, err error, received Head, what string) (Outcome, string) {
	late := driver.ClassOf(err) == driver.Timeout || !time.Now().Before(w.end) // half a line hides the timeout
	switch {
	case errors.Is(err, errFlood):
		return Different, "it sends bytes without end that are not " + what
	case late && received.Total == 0:
		return NoAnswer, "no answer to " + what
	case late:
		return NoAnswer, fmt.Sprintf("%s came and no whole answer in %s", plural.Of(received.Total, "byte"), what)
	case errors.Is(err, syscall.ECONNRESET):
		return Reset, "it does not speak " + what + ": the connection was reset"
	case received.Total == 0:
		return Closed, "it does not speak " + what + ": the connection was closed"
	}
	return Different, "something answers, but not in " + what + guess(received.Bytes)
}
