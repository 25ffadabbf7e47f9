package focasclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// ProgramNum gives the O numbers of the running and the main program (cnc_rdprgnum, cnc_rdprgnumo8).
func (p Path) ProgramNum(ctx context.Context) (focas.ProgramNum, error) {
	return call(ctx, p.c, "cnc_rdprgnum", focas.ProgramNumRequest(p.n), focas.ParseProgramNum)
}

// SequenceNum is the N number of the block being executed (cnc_rdseqnum).
func (p Path) SequenceNum(ctx context.Context) (int32, error) {
	n, err := call(ctx, p.c, "cnc_rdseqnum", focas.SequenceNumRequest(p.n), focas.ParseCounter)
	return n.N, err
}

// BlockCount is how many blocks have been executed (cnc_rdblkcount).
func (p Path) BlockCount(ctx context.Context) (int32, error) {
	n, err := call(ctx, p.c, "cnc_rdblkcount", focas.BlockCountRequest(p.n), focas.ParseCounter)
	return n.N, err
}

// ExecProgram is the running program's name and O number (cnc_exeprgname).
func (p Path) ExecProgram(ctx context.Context) (focas.ExecProgram, error) {
	return call(ctx, p.c, "cnc_exeprgname", focas.ExecProgramRequest(p.n), focas.ParseExecProgram)
}

// ExecProgramPath is the running program's path (cnc_exeprgname2).
func (p Path) ExecProgramPath(ctx context.Context) (string, error) {
	s, err := call(ctx, p.c, "cnc_exeprgname2", focas.ExecProgramPathRequest(p.n), focas.ParsePathText)
	return s.String(), err
}

// maxExecText is how many bytes of text fit a reply body of 1450 bytes.
const maxExecText = 1450 - 2 - focas.ReplyBlockSize - 4

// ExecText is up to length bytes of the running program's text, from the block being executed on (cnc_rdexecprog).
// length is at most 1428.
func (p Path) ExecText(ctx context.Context, length int32) (focas.ExecText, error) {
	if length < 1 || length > maxExecText {
		return focas.ExecText{}, fmt.Errorf("cnc_rdexecprog: length %d, want 1 to %d", length, maxExecText)
	}
	return call(ctx, p.c, "cnc_rdexecprog", focas.ExecTextRequest(p.n, length), focas.ParseExecText)
}

// MDIText is the MDI program as the control sends it (cnc_rdmdiprog); its layout is unknown.
func (p Path) MDIText(ctx context.Context) ([]byte, error) {
	return call(ctx, p.c, "cnc_rdmdiprog", focas.MDITextRequest(p.n), raw)
}

// MDIPointer says where the MDI program stands (cnc_rdmdipntr).
func (p Path) MDIPointer(ctx context.Context) (focas.MDIPointer, error) {
	return call(ctx, p.c, "cnc_rdmdipntr", focas.MDIPointerRequest(p.n), focas.ParseMDIPointer)
}

// ActPoint is the execution pointer (cnc_rdactpt).
func (p Path) ActPoint(ctx context.Context) (focas.ActPoint, error) {
	return call(ctx, p.c, "cnc_rdactpt", focas.ActPointRequest(p.n), focas.ParseActPoint)
}

// WriteActPoint sets the execution pointer (cnc_wractpt).
func (p Path) WriteActPoint(ctx context.Context, program, block int32) error {
	return order(ctx, p.c, "cnc_wractpt", focas.WriteActPointRequest(p.n, program, block))
}

// ProgramInfo says how full program memory is (cnc_rdproginfo).
func (p Path) ProgramInfo(ctx context.Context) (focas.ProgramInfo, error) {
	return call(ctx, p.c, "cnc_rdproginfo", focas.ProgramInfoRequest(p.n), focas.ParseProgramInfo)
}

// Search makes a program the main one (cnc_search).
func (p Path) Search(ctx context.Context, number int32) error {
	return order(ctx, p.c, "cnc_search", focas.SearchRequest(p.n, number))
}

// DeleteProgram deletes a program (cnc_delete). It cannot be undone.
func (p Path) DeleteProgram(ctx context.Context, number int32) error {
	return order(ctx, p.c, "cnc_delete", focas.DeleteRequest(p.n, number))
}

// Rewind puts the cursor at the head of the main program (cnc_rewind).
func (p Path) Rewind(ctx context.Context) error {
	return order(ctx, p.c, "cnc_rewind", focas.RewindRequest(p.n))
}
