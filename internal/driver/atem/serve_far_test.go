package atem

import (
	"strings"
	"sync"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// transferFar is what a switcher does about locks and transfers, one piece each.
type transferFar struct {
	f *far

	mu    sync.Mutex
	codes []string
	data  map[uint16]string
	hold  bool // nothing is ever complete
}

// switcherOfTransfers makes the far end of a stage do transfers.
func (s *stage) switcherOfTransfers() *transferFar {
	x := &transferFar{f: s.far, data: map[uint16]string{}}
	s.far.mu.Lock()
	s.far.more = x.command
	s.far.mu.Unlock()
	return x
}

// take is what has come since the last call.
func (x *transferFar) take() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := strings.Join(x.codes, " ")
	x.codes = nil
	return out
}

func (x *transferFar) command(c farConn, f *atem.Field) {
	x.mu.Lock()
	defer x.mu.Unlock()
	answer := func(m atem.Message) { c.tell(m.Append(nil, farVersion)) }
	switch f.Code {
	case atem.CodeLOCK:
		l := parse[atem.Lock](f.Body)
		x.f.tell(&atem.LockState{Store: l.Store, Locked: l.Locked})
		if l.Locked {
			answer(&atem.LockObtained{Store: l.Store})
		}
	case atem.CodeFTSD:
		answer(&atem.UploadWindow{Transfer: parse[atem.StartUpload](f.Body).Transfer, ChunkSize: 1000, ChunkCount: 1})
	case atem.CodeFTDa:
		d := parse[atem.TransferData](f.Body)
		x.data[d.Transfer] = string(d.Data)
		if !x.hold {
			answer(&atem.TransferComplete{Transfer: d.Transfer})
		}
	case atem.CodeFTAD:
	default:
		return
	}
	x.codes = append(x.codes, f.Code.String())
}
