package driver

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPlan(t *testing.T) {
	r := func(replies ...int) []PlanItem {
		out := make([]PlanItem, len(replies))
		for i, n := range replies {
			out[i] = PlanItem{28, n}
		}
		return out
	}
	for _, c := range []struct {
		name   string
		items  []PlanItem
		limits PlanLimits
		want   [][]int
	}{
		{"nothing", nil, PlanLimits{Reply: 10}, [][]int{}},
		{"all in one", r(10, 20, 30), PlanLimits{Reply: 60}, [][]int{{0, 1, 2}}},
		{"largest first", r(40, 60, 40, 60), PlanLimits{Reply: 100}, [][]int{{0, 1}, {2, 3}}},
		{"fixed part counts", r(50, 50), PlanLimits{Reply: 100, ReplyFixed: 1}, [][]int{{0}, {1}}},
		{"request limit", r(1, 1, 1), PlanLimits{Request: 60, RequestFixed: 2}, [][]int{{0, 1}, {2}}},
		{"count limit", r(1, 1, 1), PlanLimits{Items: 2}, [][]int{{0, 1}, {2}}},
		{"too large goes alone", r(10, 500, 10), PlanLimits{Reply: 100}, [][]int{{0, 2}, {1}}},
		{"no limits", r(1, 2), PlanLimits{}, [][]int{{0, 1}}},
	} {
		if d := cmp.Diff(c.want, Plan(c.items, c.limits)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestPlanHoldsEverythingOnceWithinLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) PlanItem {
			return PlanItem{rapid.IntRange(1, 60).Draw(t, "request"), rapid.IntRange(0, 60).Draw(t, "reply")}
		}), 0, 40).Draw(t, "items")
		l := PlanLimits{Request: 100, Reply: 100, Items: 7, RequestFixed: 2, ReplyFixed: 2}
		plan := Plan(items, l)
		var all []int
		request, reply := 0, 0
		for _, frame := range plan {
			q, p := l.RequestFixed, l.ReplyFixed
			for _, i := range frame {
				q, p = q+items[i].Request, p+items[i].Reply
			}
			if len(frame) == 0 || len(frame) > l.Items || q > l.Request || p > l.Reply {
				t.Fatalf("frame %v takes %d and %d", frame, q, p)
			}
			request, reply = request+q, reply+p
			all = append(all, frame...)
		}
		slices.Sort(all)
		for i, k := range all {
			if i != k {
				t.Fatalf("plan %v", plan)
			}
		}
		if len(all) != len(items) || !cmp.Equal(plan, Plan(items, l)) {
			t.Fatal("an item is missing, or the plan is not the same twice")
		}
	})
}

func BenchmarkPlan(b *testing.B) {
	items := make([]PlanItem, 100)
	for i := range items {
		items[i] = PlanItem{28, 16 + i*37%200}
	}
	b.ReportAllocs()
	for b.Loop() {
		Plan(items, PlanLimits{Request: 1450, Reply: 1450})
	}
}
