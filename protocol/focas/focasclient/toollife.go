package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// ToolGroup is the life data of one tool group (cnc_rdlife, cnc_rdcount, cnc_rdntool in one).
func (p Path) ToolGroup(ctx context.Context, group int32) (focas.ToolGroup, error) {
	return call(ctx, p.c, "cnc_rdlife", focas.ToolGroupRequest(p.n, group, group), focas.ParseToolGroup)
}

// ToolGroupMax is the largest number of tool groups (cnc_rdngrp).
func (p Path) ToolGroupMax(ctx context.Context) (int32, error) {
	n, err := call(ctx, p.c, "cnc_rdngrp", focas.ToolGroupNumRequest(p.n), focas.ParseCounter)
	return n.N, err
}

// UseGroup says which tool groups are next, in use and selected (cnc_rdusegrpid).
func (p Path) UseGroup(ctx context.Context) (focas.UseGroup, error) {
	return call(ctx, p.c, "cnc_rdusegrpid", focas.UseGroupRequest(p.n), focas.ParseUseGroup)
}

// ToolNum says which tool stands at place order (from 1) of a group (cnc_toolnum).
func (p Path) ToolNum(ctx context.Context, group, order int32) (focas.ToolNum, error) {
	return call(ctx, p.c, "cnc_toolnum", focas.ToolNumRequest(p.n, group, order), focas.ParseToolNum)
}

// ToolLife is the data of the tool at place order (from 1) of a group (cnc_rd1tlifedata).
func (p Path) ToolLife(ctx context.Context, group, order int32) (focas.ToolLife, error) {
	return call(ctx, p.c, "cnc_rd1tlifedata", focas.ToolLifeRequest(p.n, group, order), focas.ParseToolLife)
}

// ToolLifeInfo says what tool life management holds (cnc_rdtlinfo).
func (p Path) ToolLifeInfo(ctx context.Context) (focas.ToolLifeInfo, error) {
	return call(ctx, p.c, "cnc_rdtlinfo", focas.ToolLifeInfoRequest(p.c.Dialect(), p.n), focas.ParseToolLifeInfo)
}

// ToolGroups30i are count tool groups from number from (cnc_rdtlgrp of the 30i dialect). A classic control refuses it;
// ask [Path.ToolGroup] there.
func (p Path) ToolGroups30i(ctx context.Context, from, count int32) ([]focas.ToolGroup30i, error) {
	l, err := call(ctx, p.c, "cnc_rdtlgrp", focas.ToolGroups30iRequest(p.n, from, count), focas.ParseToolGroups30i)
	return l.Items, err
}
