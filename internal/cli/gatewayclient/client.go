// Package gatewayclient talks to a running gateway over its HTTP interface, as docs/guide/http.md describes it.
package gatewayclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxReply bounds one reply that is not a stream, in bytes.
const maxReply = 256 << 20

// Client talks to one gateway. It is safe for concurrent use.
type Client struct {
	http  *http.Client
	base  string
	token string // empty: none
}

// New makes a client of the gateway at base, such as http://127.0.0.1:8620. rt carries the requests; nil: the network.
func New(base string, rt http.RoundTripper) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is no address of a gateway; write it like http://127.0.0.1:8620", base)
	}
	return &Client{http: &http.Client{Transport: rt}, base: strings.TrimRight(base, "/")}, nil
}

// Close gives idle connections back.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Problem is an error that the gateway explained.
type Problem struct {
	Title      string `json:"title"`
	Status     int    `json:"status"`
	Detail     string `json:"detail"`
	Hint       string `json:"hint"`
	Code       string `json:"code"`
	Class      string `json:"class"`
	Device     string `json:"device"`
	DidYouMean texts  `json:"did_you_mean"`
	Errors     texts  `json:"errors"` // each fault with its place
}

// texts is a text or a list of texts.
type texts []string

// UnmarshalJSON reads both forms.
func (s *texts) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(s))
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	if one != "" {
		*s = texts{one}
	}
	return nil
}

// Error is the detail, and each fault on a line of its own.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return strings.Join(append([]string{p.Detail}, p.Errors...), "\n  ")
	}
	return p.Title
}

// NoGateway is the error when nothing that is a gateway answers.
type NoGateway struct {
	Base string
	Err  error
}

// Error says so.
func (e *NoGateway) Error() string { return fmt.Sprintf("no gateway answers at %s: %v", e.Base, e.Err) }

// Unwrap gives the cause.
func (e *NoGateway) Unwrap() error { return e.Err }

// Devices lists the devices of the gateway.
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	var out struct {
		Devices []Device `json:"devices"`
	}
	err := c.call(ctx, http.MethodGet, "/devices", nil, nil, &out)
	return out.Devices, err
}

// Device describes one device.
func (c *Client) Device(ctx context.Context, name string) (Device, error) {
	var out Device
	err := c.call(ctx, http.MethodGet, "/devices/"+url.PathEscape(name), nil, nil, &out)
	return out, err
}

// Specs lists what a device has below under.
func (c *Client) Specs(ctx context.Context, device, under string) (Specs, error) {
	var out Specs
	err := c.call(ctx, http.MethodGet, "/devices/"+url.PathEscape(device)+"/specs", query("under", under), nil, &out)
	return out, err
}

// Points is a snapshot of a subtree of a device.
func (c *Client) Points(ctx context.Context, device, under string) ([]Point, error) {
	var out struct {
		Points []Point `json:"points"`
	}
	err := c.call(ctx, http.MethodGet, "/devices/"+url.PathEscape(device)+"/points", query("under", under), nil, &out)
	return out.Points, err
}

// Value is one point.
func (c *Client) Value(ctx context.Context, device, path string) (Point, error) {
	var out Point
	err := c.call(ctx, http.MethodGet, "/devices/"+url.PathEscape(device)+"/value", query("path", path), nil, &out)
	return out, err
}

// Write writes points.
func (c *Client) Write(ctx context.Context, r WriteRequest) (Write, error) {
	var out Write
	err := c.call(ctx, http.MethodPost, "/writes", nil, r, &out)
	return out, err
}

// Do performs a command.
func (c *Client) Do(ctx context.Context, device string, r CommandRequest) (Write, error) {
	var out Write
	err := c.call(ctx, http.MethodPost, "/devices/"+url.PathEscape(device)+"/commands", nil, r, &out)
	return out, err
}

func query(key, value string) url.Values {
	if value == "" {
		return nil
	}
	return url.Values{key: {value}}
}

func (c *Client) call(ctx context.Context, method, path string, q url.Values, in, out any) error {
	resp, err := c.open(ctx, method, path, q, in, "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return &NoGateway{c.base, err}
	}
	if err := json.Unmarshal(body, out); err != nil {
		return &NoGateway{c.base, fmt.Errorf("its answer is not the gateway's: %w", err)}
	}
	return nil
}

// open sends a request and returns the response of a success; everything else is an error.
func (c *Client) open(ctx context.Context, method, path string, q url.Values, in any, accept string) (*http.Response, error) {
	target := c.base + "/api/v1" + path
	if len(q) > 0 {
		target += "?" + q.Encode()
	}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ue, ok := err.(*url.Error); ok {
			err = ue.Err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &NoGateway{c.base, err}
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if speaksTLS(resp.StatusCode, text) {
		return nil, &NoGateway{c.base, errors.New("what is there speaks HTTPS; write https:// before the address")}
	}
	p := &Problem{Status: resp.StatusCode}
	if kind != "application/problem+json" || json.Unmarshal(text, p) != nil {
		return nil, &NoGateway{c.base, fmt.Errorf("something else answers there (HTTP status %s)", resp.Status)}
	}
	return nil, p
}
