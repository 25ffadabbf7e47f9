package atemsim

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// Sizes of what transfers move.
const (
	maxFile     = 40 << 20 // a still of 2160 lines has 33 MB
	maxSmall    = 2 << 20  // a macro or label, for which no lock is wanted
	chunkSize   = 1396
	chunkCount  = 20
	pieceSize   = 1392
	maxInFlight = 24 // pieces of a download without an acknowledgement
)

// slot is a place of a store.
type slot struct {
	store atem.Store
	n     uint16
}

// store is what the media pool and the macro pool keep as files, and who has locked what.
type store struct {
	locks  map[uint16]*session
	files  map[slot][]byte // as they came, run-length coded where they are pictures
	labels map[uint16][]byte
}

func (s *store) init() {
	s.locks, s.files, s.labels = map[uint16]*session{}, map[slot][]byte{}, map[uint16][]byte{}
}

// upload is a file on its way in.
type upload struct {
	start  atem.StartUpload
	data   []byte
	name   string
	hash   [16]byte
	named  bool
	window int // pieces that may still come

	measured int    // bytes of data that were looked at
	stands   uint64 // how many bytes these stand for
}

// download is a file on its way out.
type download struct {
	id   uint16
	rest []byte
	runs bool
	sent int // without an acknowledgement
}

// mediaCommand carries out a command about media, locks and transfers; false: it is of another kind.
func (m *machine) mediaCommand(s *session, f *atem.Field) bool {
	switch f.Code {
	case atem.CodeMPSS:
		m.mediaPlayer(f)
	case atem.CodeCSTL:
		if v, ok := read[atem.ClearStill](m, f); ok {
			m.clearStill(uint16(v.Slot))
		}
	case atem.CodeSMPS:
		if v, ok := read[atem.SetStillName](m, f); ok {
			if st, ok := atem.Get[atem.MediaPoolStill](m.st, 0, int64(v.Slot)); ok && st.Used {
				st.Name = v.Name
				m.set(&st)
			}
		}
	case atem.CodeSMPC:
		if v, ok := read[atem.SetClip](m, f); ok {
			m.setKnown(&atem.MediaPoolClip{Slot: v.Slot, Used: true, Name: v.Name, FrameCount: v.Frames})
		}
	case atem.CodeCMPC:
		if v, ok := read[atem.ClearClip](m, f); ok {
			m.setKnown(&atem.MediaPoolClip{Slot: v.Slot})
		}
	case atem.CodeCMPA:
		if v, ok := read[atem.ClearClipAudio](m, f); ok {
			m.setKnown(&atem.MediaPoolAudio{Slot: v.Slot})
		}
	case atem.CodeCLMP:
		for st := range atem.All[atem.MediaPoolStill](m.st) {
			if st.Bank == atem.MediaBankStill && st.Used {
				m.clearStill(st.Slot)
			}
		}
	case atem.CodeCapt:
		m.capture()
	case atem.CodeLOCK:
		m.lock(s, f)
	case atem.CodePLCK:
		if v, ok := read[atem.SlotLock](m, f); ok && m.store.locks[v.Store] == nil {
			m.tell(s, &atem.LockObtained{Store: v.Store})
		}
	case atem.CodeFTSD, atem.CodeFTDa, atem.CodeFTFD, atem.CodeFTSU, atem.CodeFTUA, atem.CodeFTAD:
		m.transfer(s, f)
	default:
		return false
	}
	return true
}

// setKnown is set for something of which the state has an instance already.
func (m *machine) setKnown(msg atem.Message) {
	f, _, err := atem.Next(msg.Append(nil, m.ver))
	if err == nil && m.st.Current(&f) != nil {
		m.put(&f)
	}
}

func (m *machine) mediaPlayer(f *atem.Field) {
	v, ok := read[atem.SetMediaPlayerSource](m, f)
	p, ok2 := atem.Get[atem.MediaPlayerSource](m.st, int64(v.Player))
	if !ok || !ok2 {
		return
	}
	pool, _ := atem.Get[atem.MediaPoolConfig](m.st)
	if v.Mask&atem.SetMediaPlayerSourceMaskKind != 0 {
		p.Kind = v.Kind
	}
	if v.Mask&atem.SetMediaPlayerSourceMaskStill != 0 && v.Still < pool.Stills {
		p.Still = v.Still
	}
	if v.Mask&atem.SetMediaPlayerSourceMaskClip != 0 && v.Clip < pool.Clips {
		p.Clip = v.Clip
	}
	m.set(&p)
}

func (m *machine) clearStill(n uint16) {
	delete(m.store.files, slot{atem.StoreStills, n})
	m.setKnown(&atem.MediaPoolStill{Slot: n})
}

// capture takes a still of program: a grey one, since there are no pictures here.
func (m *machine) capture() {
	for st := range atem.All[atem.MediaPoolStill](m.st) {
		if st.Bank != atem.MediaBankStill || st.Used {
			continue
		}
		data := fmt.Appendf(nil, "still %d", st.Slot)
		m.set(&atem.MediaPoolStill{Slot: st.Slot, Used: true, Name: fmt.Sprintf("Capture %d", st.Slot+1), MD5: md5.Sum(data)})
		return
	}
}

// lock gives a store to a client, or takes it back.
func (m *machine) lock(s *session, f *atem.Field) {
	v, ok := read[atem.Lock](m, f)
	if !ok {
		return
	}
	owner := m.store.locks[v.Store]
	switch {
	case v.Locked && owner == nil:
		m.store.locks[v.Store] = s
		m.tell(s, &atem.LockObtained{Store: v.Store})
		m.set(&atem.LockState{Store: v.Store, Locked: true})
	case v.Locked && owner == s:
		m.tell(s, &atem.LockObtained{Store: v.Store})
	case !v.Locked && owner == s:
		m.unlock(v.Store)
	}
}

func (m *machine) unlock(n uint16) {
	delete(m.store.locks, n)
	m.set(&atem.LockState{Store: n})
}

// leave takes back what a client had locked, and forgets what it moved.
func (m *machine) leave(s *session) {
	for n, owner := range m.store.locks {
		if owner == s {
			m.unlock(n)
		}
	}
}

// limit is how large a file of a store may be.
func limit(n uint16) int {
	if atem.Store(n) == atem.StoreMacrosAndLabels {
		return maxSmall
	}
	return maxFile
}

// free reports whether a client may move files of a store.
func (m *machine) free(s *session, n uint16) bool {
	return atem.Store(n) == atem.StoreMacrosAndLabels || m.store.locks[n] == s
}

func (m *machine) transfer(s *session, f *atem.Field) {
	switch f.Code {
	case atem.CodeFTSD:
		v, ok := read[atem.StartUpload](m, f)
		switch {
		case !ok:
		case !m.free(s, v.Store):
			m.tell(s, &atem.TransferError{Transfer: v.Transfer, Error: atem.TransferErrorCodeNotLocked})
		case v.Size < 0 || int(v.Size) > limit(v.Store) || !m.exists(&v) || len(s.uploads) >= 4:
			m.tell(s, &atem.TransferError{Transfer: v.Transfer, Error: atem.TransferErrorCodeNotFound})
		default:
			if s.uploads == nil {
				s.uploads = map[uint16]*upload{}
			}
			s.uploads[v.Transfer] = &upload{start: v}
			m.moreOf(s, v.Transfer)
		}
	case atem.CodeFTFD:
		if v, ok := read[atem.FileDescription](m, f); ok && s.uploads[v.Transfer] != nil {
			u := s.uploads[v.Transfer]
			u.name, u.hash, u.named = v.Name, v.MD5, true
			m.arrived(s, v.Transfer, u)
		}
	case atem.CodeFTDa:
		v, ok := read[atem.TransferData](m, f)
		u := s.uploads[v.Transfer]
		switch {
		case !ok || u == nil:
		case len(u.data)+len(v.Data) > limit(u.start.Store)+pieceSize:
			delete(s.uploads, v.Transfer)
			m.tell(s, &atem.TransferError{Transfer: v.Transfer, Error: atem.TransferErrorCodeTryAgain})
		default:
			u.data = append(u.data, v.Data...)
			if u.window--; !m.arrived(s, v.Transfer, u) && u.window <= 0 {
				m.moreOf(s, v.Transfer)
			}
		}
	case atem.CodeFTSU:
		if v, ok := read[atem.StartDownload](m, f); ok {
			m.startDownload(s, &v)
		}
	case atem.CodeFTUA:
		if v, ok := read[atem.TransferDataAck](m, f); ok && s.downloads[v.Transfer] != nil {
			d := s.downloads[v.Transfer]
			d.sent = max(d.sent-1, 0) // a client that acknowledges too much gains nothing
			m.send(s, d)
		}
	case atem.CodeFTAD:
		if v, ok := read[atem.AbortTransfer](m, f); ok {
			delete(s.uploads, v.Transfer)
			delete(s.downloads, v.Transfer)
		}
	}
}

// moreOf allows more pieces of an upload.
func (m *machine) moreOf(s *session, id uint16) {
	s.uploads[id].window = chunkCount
	m.tell(s, &atem.UploadWindow{Transfer: id, ChunkSize: chunkSize, ChunkCount: chunkCount})
}

// exists reports whether there is a place for an upload.
func (m *machine) exists(v *atem.StartUpload) bool {
	switch {
	case v.Mode == atem.TransferModeLabel:
		return m.has(atem.SourceID(v.Slot))
	case v.Mode == atem.TransferModeMacro:
		_, ok := atem.Get[atem.MacroProperties](m.st, int64(v.Slot))
		return ok
	case atem.Store(v.Store) == atem.StoreStills:
		_, ok := atem.Get[atem.MediaPoolStill](m.st, 0, int64(v.Slot))
		return ok
	}
	pool, _ := atem.Get[atem.MediaPoolConfig](m.st)
	return v.Store >= 1 && v.Store <= uint16(pool.Clips)
}

// arrived ends an upload when all of it is there: it reports whether it is.
func (m *machine) arrived(s *session, id uint16, u *upload) bool {
	data, size := u.data, int(u.start.Size)
	if atem.Store(u.start.Store) != atem.StoreMacrosAndLabels {
		if u.measure(); u.stands < uint64(size) {
			return false
		}
		var err error
		if data, err = atem.ExpandRuns(nil, data, size); err != nil {
			delete(s.uploads, id)
			m.tell(s, &atem.TransferError{Transfer: id, Error: atem.TransferErrorCodeTryAgain})
			return true
		}
	}
	if len(data) < size || !u.named {
		return false
	}
	delete(s.uploads, id)
	if u.hash != [16]byte{} && u.hash != md5.Sum(data) {
		m.tell(s, &atem.TransferError{Transfer: id, Error: atem.TransferErrorCodeTryAgain})
		return true
	}
	m.keep(u, data)
	m.tell(s, &atem.TransferComplete{Transfer: id})
	return true
}

// measure takes note of how many bytes the data that have come stand for. A run that has not come as a whole is left for
// later.
func (u *upload) measure() {
	for {
		rest := u.data[u.measured:]
		switch {
		case len(rest) >= 8 && binary.BigEndian.Uint64(rest) != 0xfefefefefefefefe:
			u.stands += 8
			u.measured += 8
		case len(rest) >= 24:
			u.stands += 8 * min(binary.BigEndian.Uint64(rest[8:]), maxFile)
			u.measured += 24
		default:
			return
		}
	}
}

// keep puts a file where it belongs.
func (m *machine) keep(u *upload, data []byte) {
	v := &u.start
	switch {
	case v.Mode == atem.TransferModeLabel:
		m.store.labels[v.Slot] = data
	case v.Mode == atem.TransferModeMacro:
		if steps, ok := m.parseMacro(data); ok {
			m.macros[v.Slot] = steps
			m.set(&atem.MacroProperties{Macro: v.Slot, Used: true, Name: u.name})
		}
	case atem.Store(v.Store) == atem.StoreStills:
		m.store.files[slot{atem.StoreStills, v.Slot}] = u.data
		m.set(&atem.MediaPoolStill{Slot: v.Slot, Used: true, Name: u.name, MD5: u.hash})
	case v.Mode == atem.TransferModeAudio:
		m.setKnown(&atem.MediaPoolAudio{Slot: uint8(v.Store - 1), Used: true, Name: u.name, MD5: u.hash})
	default:
		m.store.files[slot{atem.Store(v.Store), v.Slot}] = u.data
		m.setKnown(&atem.MediaPoolStill{Bank: atem.MediaBank(v.Store), Slot: v.Slot, Used: true, Name: u.name, MD5: u.hash})
	}
}

func (m *machine) startDownload(s *session, v *atem.StartDownload) {
	data, runs := m.store.files[slot{atem.Store(v.Store), v.Slot}], true
	if atem.Store(v.Store) == atem.StoreMacrosAndLabels {
		data, runs = m.macroBytes(v.Slot), false
	}
	switch {
	case !m.free(s, v.Store):
		m.tell(s, &atem.TransferError{Transfer: v.Transfer, Error: atem.TransferErrorCodeNotLocked})
	case len(data) == 0 || len(s.downloads) >= 4:
		m.tell(s, &atem.TransferError{Transfer: v.Transfer, Error: atem.TransferErrorCodeNotFound})
	default:
		if s.downloads == nil {
			s.downloads = map[uint16]*download{}
		}
		s.downloads[v.Transfer] = &download{id: v.Transfer, rest: data, runs: runs}
		m.send(s, s.downloads[v.Transfer])
	}
}

// send sends what may go of a download.
func (m *machine) send(s *session, d *download) {
	for d.sent < maxInFlight && len(d.rest) > 0 {
		n := min(len(d.rest), pieceSize)
		if d.runs {
			n = atem.CutRuns(d.rest, pieceSize)
		}
		m.tell(s, &atem.TransferData{Transfer: d.id, Data: d.rest[:n]})
		d.rest = d.rest[n:]
		d.sent++
	}
	if len(d.rest) == 0 && d.sent <= 0 {
		delete(s.downloads, d.id)
		m.tell(s, &atem.TransferComplete{Transfer: d.id})
	}
}
