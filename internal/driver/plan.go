package driver

import "slices"

// PlanItem is what one item takes in a frame, in bytes.
type PlanItem struct{ Request, Reply int }

// PlanLimits are what a frame holds. A zero limit is no limit.
type PlanLimits struct {
	Request, Reply           int // bytes of items in the request, in the reply
	Items                    int // items in one frame
	RequestFixed, ReplyFixed int // bytes that each frame takes without items
}

// Plan packs items into as few frames as it can and returns the indices of each frame's items, ascending. It takes
// the largest first and puts each into the first frame with room; when replies alone are the limit, that is at most 11/9 of
// the best packing and one frame. Equal inputs give equal plans. An item that fits into no frame gets one of its own, so that nothing is lost
// and the far end can say what it thinks of it.
func Plan(items []PlanItem, limits PlanLimits) [][]int {
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return weight(items[b], limits) - weight(items[a], limits) })
	type room struct {
		items          []int
		request, reply int
	}
	var frames []room
next:
	for _, i := range order {
		it := items[i]
		for k := range frames {
			f := &frames[k]
			if fits(f.request+it.Request, limits.Request) && fits(f.reply+it.Reply, limits.Reply) && (limits.Items <= 0 || len(f.items) < limits.Items) {
				f.items = append(f.items, i)
				f.request += it.Request
				f.reply += it.Reply
				continue next
			}
		}
		frames = append(frames, room{[]int{i}, limits.RequestFixed + it.Request, limits.ReplyFixed + it.Reply})
	}
	out := make([][]int, len(frames))
	for i, f := range frames {
		slices.Sort(f.items)
		out[i] = f.items
	}
	slices.SortFunc(out, func(a, b []int) int { return a[0] - b[0] })
	return out
}

func fits(n, limit int) bool { return limit <= 0 || n <= limit }

// weight is the larger of the two shares that an item takes of a frame, in millionths.
func weight(it PlanItem, l PlanLimits) int {
	share := func(n, limit int) int {
		if limit <= 0 {
			return 0
		}
		return n * 1_000_000 / limit
	}
	return max(share(it.Request, l.Request), share(it.Reply, l.Reply))
}
