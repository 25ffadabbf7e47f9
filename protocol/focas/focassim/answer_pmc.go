package focassim

import (
	"math"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// pmcRange checks the bytes of a request and gives them.
func (a *asked) pmcRange(most int) ([]byte, *pmcArea, focas.Code) {
	if a.q.Path != 1 {
		return nil, nil, focas.EWFunc
	}
	r := focas.ParsePMCRange(*a.q)
	area := a.m.pmc.area(r.Area)
	if area == nil {
		return nil, nil, focas.EWAttrib
	}
	size := r.Type.Size()
	if size == 0 || a.arg(4) < 0 || a.arg(4) > math.MaxUint16 {
		return nil, nil, focas.EWAttrib
	}
	if r.First < 0 || r.Last < r.First || int64(r.Last) >= int64(len(area.data)) {
		return nil, nil, focas.EWNumber
	}
	if r.Len()%size != 0 || r.Len() > most {
		return nil, nil, focas.EWLength
	}
	return area.data[r.First : r.Last+1], area, 0
}

// readPMC answers with the bytes as they lie in memory turned to the order of the wire: PMC words have their low byte at
// the lower address.
func (a *asked) readPMC() ([]byte, focas.Code) {
	data, _, code := a.pmcRange(a.room(1))
	if code != 0 {
		return nil, code
	}
	return swap(data, focas.ParsePMCRange(*a.q).Type.Size()), 0
}

func (a *asked) writePMC() ([]byte, focas.Code) {
	data, area, code := a.pmcRange(focas.MaxRequestBody)
	switch {
	case code != 0:
		return nil, code
	case len(a.q.Data) != len(data):
		return nil, focas.EWLength
	case area.readOnly:
		return nil, focas.EWProt
	}
	copy(data, swap(a.q.Data, focas.ParsePMCRange(*a.q).Type.Size()))
	return nil, 0
}

// swap is a copy with the bytes of each item reversed.
func swap(b []byte, size int) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = b[i/size*size+size-1-i%size]
	}
	return out
}

func (a *asked) pmcInfo() ([]byte, focas.Code) {
	if a.q.Path != 1 {
		return nil, focas.EWFunc
	}
	x := focas.PMCInfo{}
	for _, area := range a.m.pmc.areas {
		if a.arg(1) == -1 || a.arg(1) == area.code {
			x.Items = append(x.Items, focas.PMCAreaInfo{Letter: uint16(area.letter), Attribute: 7, Last: uint32(len(area.data) - 1)})
		}
	}
	if x.Items == nil {
		return nil, focas.EWAttrib
	}
	x.Count = uint32(len(x.Items))
	return x.Append(nil), 0
}

func (a *asked) selectUnit() ([]byte, focas.Code) {
	if a.arg(1) != 1 {
		return nil, focas.EWNumber
	}
	return nil, 0
}

func (a *asked) pmcCount() ([]byte, focas.Code) { return focas.Counter{N: 1}.Append(nil), 0 }

func (a *asked) pmcTypes() ([]byte, focas.Code) {
	l := focas.List[focas.PMCUnitType]{Items: []focas.PMCUnitType{1}}
	return l.Append(nil), 0
}
