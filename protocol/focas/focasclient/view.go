package focasclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Path is a view of a session that asks one path of the control; see [Client.Path].
type Path struct {
	c *Client
	n uint16
}

// Path is the view of path n, 1-based. It does no I/O and does not check that the control has the path: a request for
// another one is refused by the control (EW_PATH).
func (c *Client) Path(n uint16) Path { return Path{c, n} }

// Number is the path number.
func (p Path) Number() uint16 { return p.n }

// PMC is a view of a session that asks one PMC unit of the control; see [Client.PMC].
type PMC struct {
	c *Client
	n uint16
}

// PMC is the view of PMC unit n, 1-based. It does no I/O.
func (c *Client) PMC(n uint16) PMC { return PMC{c, n} }

// Number is the unit number.
func (p PMC) Number() uint16 { return p.n }

// call sends one request and parses the answer; op names the call in errors. The result may alias the reply, which belongs
// to the caller.
func call[T any](ctx context.Context, c *Client, op string, q focas.Request, parse func([]byte) (T, error)) (T, error) {
	var zero T
	replies, err := c.Exchange(ctx, []focas.Request{q})
	if err != nil {
		return zero, fmt.Errorf("%s: %w", op, err)
	}
	return parseReply(c, op, &replies[0], parse)
}

func parseReply[T any](c *Client, op string, p *focas.Reply, parse func([]byte) (T, error)) (T, error) {
	var zero T
	if err := p.Err(); err != nil {
		return zero, fmt.Errorf("%s %s: %w", op, c.addr, err)
	}
	v, err := parse(p.Payload)
	if err != nil {
		return zero, fmt.Errorf("%s %s: %w", op, c.addr, err)
	}
	return v, nil
}

// order sends one request whose answer carries nothing.
func order(ctx context.Context, c *Client, op string, q focas.Request) error {
	_, err := call(ctx, c, op, q, func([]byte) (struct{}, error) { return struct{}{}, nil })
	return err
}
