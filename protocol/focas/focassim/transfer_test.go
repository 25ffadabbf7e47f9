package focassim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

func TestUploadAndDownload(t *testing.T) {
	s, _, c := start(t, Options{Manual: true})
	p, ctx := c.Path(1), t.Context()
	var text strings.Builder
	text.WriteString("\nO2000(LONG)\n")
	for i := range 2000 {
		fmt.Fprintf(&text, "N%d G1 X%d. F1000\n", i+1, i%50)
	}
	text.WriteString("%")
	n, err := p.Download(ctx, focasclient.Transfer{File: focas.NamedFile("//CNC_MEM/USER/PATH1/")}, strings.NewReader(text.String()))
	if err != nil || n != int64(text.Len()) {
		t.Fatalf("%d, %v", n, err)
	}
	for _, spec := range []string{focas.NamedFile("//CNC_MEM/USER/PATH1/O2000"), focas.NumberedFiles(2000, 2000)} {
		var back bytes.Buffer
		if _, err := p.Upload(ctx, focasclient.Transfer{File: spec}, &back); err != nil {
			t.Fatal(err)
		}
		if back.String() != text.String() {
			t.Errorf("%s: %d bytes come back of %d", spec, back.Len(), text.Len())
		}
	}
	list, err := p.Programs(ctx, "")
	if err != nil || len(list) != 5 {
		t.Errorf("%+v, %v", list, err)
	}
	send := func(text string) error {
		_, err := p.Download(ctx, focasclient.Transfer{}, strings.NewReader(text))
		return err
	}
	wantCode(t, "syntax", send("\nO2001\nG1 X1. ??\n%"), focas.EWData)
	wantCode(t, "exists", send("\nO2000\nM30\n%"), focas.EWData)
	wantCode(t, "no number", send("\nM30\n%"), focas.EWData)
	wantCode(t, "too long", send("\nO2002\n"+strings.Repeat("G0 X1.\n", storeBytes/7)+"%"), focas.EWOvrFlow)
	_, err = p.Upload(ctx, focasclient.Transfer{File: focas.NumberedFiles(4711, 4711)}, io.Discard)
	if !errors.Is(err, focasclient.ErrNothingSent) {
		t.Errorf("unknown program: %v", err)
	}
	_, err = p.Upload(ctx, focasclient.Transfer{Kind: focas.TransferParam}, io.Discard)
	wantCode(t, "parameters", err, focas.EWNoOpt)
	s.Protect(true)
	wantCode(t, "protected", send("\nO2003\nM30\n%"), focas.EWProt)
	if _, err := p.StatInfo(ctx); err != nil {
		t.Errorf("the data channel: %v", err)
	}
}

// stop is a writer that has had enough after some bytes.
type stop struct{ left int }

var errStop = errors.New("enough")

func (s *stop) Write(p []byte) (int, error) {
	if s.left -= len(p); s.left < 0 {
		return 0, errStop
	}
	return len(p), nil
}

func TestUploadCanBeCancelled(t *testing.T) {
	s, _, c := start(t, Options{Manual: true})
	if err := s.AddProgram(1, "O2000\n"+strings.Repeat("G0 X1.\n", 4000)); err != nil {
		t.Fatal(err)
	}
	tr := focasclient.Transfer{File: focas.NumberedFiles(2000, 2000)}
	for range 3 {
		if _, err := c.Path(1).Upload(t.Context(), tr, &stop{left: 3000}); !errors.Is(err, errStop) {
			t.Errorf("%v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Path(1).Upload(ctx, tr, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := c.Path(1).Upload(t.Context(), tr, io.Discard); err != nil {
		t.Errorf("after the cancelled ones: %v", err)
	}
}
