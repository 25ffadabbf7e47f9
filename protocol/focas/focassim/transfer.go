package focassim

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasserver"
)

// Upload gives the text of a program, between a line end and "%" as a control sends it. An unknown program is nothing,
// as on a real 30i (public).
func (h *handler) Upload(_ context.Context, c *focasserver.Conn, start focas.TransferStart) (io.ReadCloser, error) {
	var text string
	var err error
	(*Sim)(h).do(func(m *machine) {
		p, e := m.transferPath(&start)
		if e != nil {
			err = e
			return
		}
		if f := p.store.lookup(start.Spec()); f != nil {
			text = "\n" + f.text + "%"
		}
	})
	if err != nil {
		return nil, err
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// transferPath checks what both directions have in common.
func (m *machine) transferPath(start *focas.TransferStart) (*pathState, error) {
	if start.Kind != focas.TransferProgram {
		return nil, &focas.Error{Code: focas.EWNoOpt}
	}
	n := int(start.Path)
	if n < 1 || n > len(m.paths) {
		return nil, &focas.Error{Code: focas.EWPath}
	}
	p := m.paths[n-1]
	if spec := strings.TrimPrefix(start.Spec(), "N:"); strings.HasPrefix(spec, "//") {
		for _, q := range m.paths {
			if strings.HasPrefix(strings.ToUpper(spec), q.store.dir) {
				return q, nil
			}
		}
		return nil, &focas.Error{Code: focas.EWData, Detail: [2]int16{noSuchFile, 0}}
	}
	return p, nil
}

// Download takes a program into the folder that the start names, or into the path's own. A running machine takes programs
// too, as real controls do in the background; a program that exists is refused.
func (h *handler) Download(_ context.Context, c *focasserver.Conn, start focas.TransferStart) (focasserver.Download, error) {
	s := (*Sim)(h)
	var err error
	s.do(func(m *machine) {
		switch _, e := m.transferPath(&start); {
		case e != nil:
			err = e
		case m.protect:
			err = &focas.Error{Code: focas.EWProt}
		}
	})
	if err != nil {
		return nil, err
	}
	return &incoming{s: s, start: start}, nil
}

// incoming is a program on its way into the store.
type incoming struct {
	s       *Sim
	start   focas.TransferStart
	text    bytes.Buffer
	checked int // bytes of whole lines that have been looked at
}

// Write takes a piece and looks at its whole lines, so that a mistake is reported while the client is still sending.
func (d *incoming) Write(p []byte) (int, error) {
	if d.text.Len()+len(p) > storeBytes {
		return 0, &focas.Error{Code: focas.EWOvrFlow}
	}
	d.text.Write(p)
	all := d.text.Bytes()
	end := bytes.LastIndexByte(all, '\n')
	for d.checked < end {
		line, _, _ := bytes.Cut(all[d.checked:], []byte("\n"))
		d.checked += len(line) + 1
		text := strings.Trim(string(line), "\r \t")
		if text == "" || text[0] == '%' {
			continue
		}
		if _, _, err := parseBlock(text, 0); err != nil || len(text) > maxBlockText {
			return 0, &focas.Error{Code: focas.EWData, Detail: [2]int16{syntaxDetail, 0}}
		}
	}
	return len(p), nil
}

// Commit puts the program into the store.
func (d *incoming) Commit(context.Context) error {
	var err error
	d.s.do(func(m *machine) {
		p, e := m.transferPath(&d.start)
		if e != nil {
			err = e
			return
		}
		_, err = p.store.add(d.text.String(), m.now())
	})
	return err
}

// Abort forgets the text.
func (d *incoming) Abort() {}
