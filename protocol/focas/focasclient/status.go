package focasclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// StatInfo is the state of a path with the two words that FANUC's library asks for beside it; a word that the control
// refuses is 0.
type StatInfo struct {
	focas.Status
	HandleRetrace uint16
	TMMode        uint16 // 0 lathe, 1 machining centre
}

// StatInfo2 is [StatInfo] with four words more.
type StatInfo2 struct {
	focas.Status2
	HandleRetrace uint16
	TMMode        uint16
}

// StatInfo reads the state of the path (cnc_statinfo).
func (p Path) StatInfo(ctx context.Context) (StatInfo, error) {
	s, retrace, mode, err := statInfo(ctx, p, "cnc_statinfo", focas.StatusRequest(p.n), focas.ParseStatus)
	return StatInfo{s, retrace, mode}, err
}

// StatInfo2 reads the state of the path with warnings and more (cnc_statinfo2).
func (p Path) StatInfo2(ctx context.Context) (StatInfo2, error) {
	s, retrace, mode, err := statInfo(ctx, p, "cnc_statinfo2", focas.Status2Request(p.n), focas.ParseStatus2)
	return StatInfo2{s, retrace, mode}, err
}

func statInfo[T any](ctx context.Context, p Path, op string, q focas.Request, parse func([]byte) (T, error)) (s T, retrace, mode uint16, err error) {
	replies, err := p.c.Exchange(ctx, []focas.Request{q, focas.HandleRetraceRequest(p.n), focas.TMModeRequest(p.n)})
	if err != nil {
		return s, 0, 0, fmt.Errorf("%s: %w", op, err)
	}
	if s, err = parseReply(p.c, op, &replies[0], parse); err != nil {
		return s, 0, 0, err
	}
	return s, wordOf(&replies[1]), wordOf(&replies[2]), nil
}

// wordOf is the word of a reply; 0 when it was refused.
func wordOf(p *focas.Reply) uint16 {
	if p.Code != 0 {
		return 0
	}
	w, err := focas.ParseWord(p.Payload)
	if err != nil {
		return 0
	}
	return w.Value
}
