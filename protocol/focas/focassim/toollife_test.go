package focassim

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Tools, groups and their lives as each of the calls says them.
func TestToolLifeReads(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	p := s.m.paths[0]
	p.changeTool(101) // the second tool of group 1
	p.mod.tool = 2
	for _, row := range []struct{ group, order, tool, h, d, status int32 }{{1, 1, 1, 1, 1, 2}, {1, 2, 101, 1, 1, 1}, {1, 3, 201, 1, 1, 1}, {3, 4, 311, 11, 11, 1}} {
		if n := read(t, s, focas.ToolNumRequest(1, row.group, row.order), focas.ParseToolNum); n.Tool != row.tool || n.Group != row.group || n.Order != row.order {
			t.Errorf("tool %d of group %d: %+v", row.order, row.group, n)
		}
		want := focas.ToolLife{Order: row.order, Tool: row.tool, H: row.h, D: row.d, Status: row.status}
		got := read(t, s, focas.ToolLifeRequest(1, row.group, row.order), focas.ParseToolLife)
		if diff := cmp.Diff([]int32{want.Order, want.Tool, want.H, want.D, want.Status}, []int32{got.Order, got.Tool, got.H, got.D, got.Status}); diff != "" {
			t.Errorf("life of tool %d of group %d: %s", row.order, row.group, diff)
		}
	}
	if g := read(t, s, focas.ToolGroupRequest(1, 1, 1), focas.ParseToolGroup); g.Group != 1 || g.Tools != 3 || g.FreeTools != 13 || g.Life != 500 || g.Count != 38 {
		t.Errorf("group 1: %+v", g)
	}
	groups := read(t, s, focas.ToolGroups30iRequest(1, 2, 5), focas.ParseToolGroups30i).Items
	if len(groups) != 2 || groups[0].Life != 800 || groups[0].LifeRest != 388 || groups[1].Tools != 4 || groups[1].UseTool != 1 {
		t.Errorf("groups from 2 on: %+v", groups)
	}
	if u := read(t, s, focas.UseGroupRequest(1), focas.ParseUseGroup); u.Use != 1 || u.Next != 2 {
		t.Errorf("groups in use: %+v", u)
	}
	if n := read(t, s, focas.ToolGroupNumRequest(1), focas.ParseCounter); n.N != maxGroups {
		t.Errorf("%d groups", n.N)
	}
	classic := focas.ToolLifeInfoRequest(focas.Classic, 1)
	if diff := cmp.Diff(ask(s, focas.ToolLifeInfoRequest(focas.Series30i, 1)).Payload, ask(s, classic).Payload); diff != "" {
		t.Errorf("tool life management in the two dialects: %s", diff)
	}
}
