package focasclient

import (
	"slices"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// frameHead is the block count at the start of a data frame's body, in bytes.
const frameHead = 2

// load is how much of a frame something takes.
type load struct{ request, reply, blocks int }

func (a load) plus(b load) load {
	return load{a.request + b.request, a.reply + b.reply, a.blocks + b.blocks}
}

func (a load) fits(l Limits) bool {
	return a.request+frameHead <= l.RequestBody && a.reply+frameHead <= l.ReplyBody && a.blocks <= l.Blocks
}

// share is the largest part of any limit that a takes, in millionths: what decides which piece is hardest to place.
func (a load) share(l Limits) int {
	return max(a.request*1_000_000/l.RequestBody, a.reply*1_000_000/l.ReplyBody, a.blocks*1_000_000/l.Blocks)
}

// piece is what is placed as one: a group, or a part of a group that is too big for a frame.
type piece struct {
	items []int
	load  load
}

type bin struct {
	pieces []int
	load   load
}

// makePlan packs the items into frames, hardest first into the first frame with room. When that needs more frames than the
// sum of the sizes does, a bounded search looks for a better one. Frames and the items in them are in the order of adding.
func makePlan(items []item, l Limits) [][]int {
	pieces, single := cut(items, l)
	order := make([]int, len(pieces))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return pieces[b].load.share(l) - pieces[a].load.share(l) })
	bins := firstFit(pieces, order, l)
	if least := lowerBound(pieces, l); len(bins) > least {
		s := search{pieces: pieces, order: order, limits: l, best: bins, least: least, steps: searchSteps}
		s.place(0, nil)
		bins = s.best
	}
	plan := make([][]int, 0, len(bins)+len(single))
	for _, b := range bins {
		var frame []int
		for _, p := range b.pieces {
			frame = append(frame, pieces[p].items...)
		}
		slices.Sort(frame)
		plan = append(plan, frame)
	}
	plan = append(plan, single...)
	slices.SortFunc(plan, func(a, b []int) int { return a[0] - b[0] })
	return plan
}

// cut makes pieces of the groups; what must or can only travel alone is in single.
func cut(items []item, l Limits) (pieces []piece, single [][]int) {
	group := 0
	for i := range items {
		it := &items[i]
		size := load{it.request.Size(), focas.ReplyBlockSize + it.payload, 1}
		if it.alone || !size.fits(l) {
			single = append(single, []int{i})
			continue
		}
		if n := len(pieces) - 1; n >= 0 && it.group == group && pieces[n].load.plus(size).fits(l) {
			pieces[n].items = append(pieces[n].items, i)
			pieces[n].load = pieces[n].load.plus(size)
			continue
		}
		group = it.group
		pieces = append(pieces, piece{[]int{i}, size})
	}
	return pieces, single
}

func firstFit(pieces []piece, order []int, l Limits) []bin {
	var bins []bin
next:
	for _, p := range order {
		for i := range bins {
			if sum := bins[i].load.plus(pieces[p].load); sum.fits(l) {
				bins[i].pieces = append(bins[i].pieces, p)
				bins[i].load = sum
				continue next
			}
		}
		bins = append(bins, bin{[]int{p}, pieces[p].load})
	}
	return bins
}

// lowerBound is how many frames the sums alone ask for.
func lowerBound(pieces []piece, l Limits) int {
	var sum load
	for _, p := range pieces {
		sum = sum.plus(p.load)
	}
	up := func(n, room int) int { return (n + room - 1) / max(room, 1) }
	return max(up(sum.request, l.RequestBody-frameHead), up(sum.reply, l.ReplyBody-frameHead), up(sum.blocks, l.Blocks))
}

// searchSteps bounds the search for a better plan; it is reached in a few milliseconds.
const searchSteps = 50_000

// search is a depth-first look for a plan with fewer frames than best. It is bounded by steps, not by time, so that the
// result is always the same.
type search struct {
	pieces []piece
	order  []int
	limits Limits
	best   []bin
	least  int
	steps  int
}

// place puts the pieces from order[k] on into bins; it reports that no better plan can be found or the steps are used up.
func (s *search) place(k int, bins []bin) bool {
	if s.steps--; s.steps <= 0 {
		return true
	}
	if k == len(s.order) {
		if len(bins) < len(s.best) {
			s.best = make([]bin, len(bins))
			for i, b := range bins {
				s.best[i] = bin{slices.Clone(b.pieces), b.load}
			}
		}
		return len(s.best) <= s.least
	}
	p := s.order[k]
	for i := range bins {
		sum := bins[i].load.plus(s.pieces[p].load)
		if !sum.fits(s.limits) || slices.ContainsFunc(bins[:i], func(b bin) bool { return b.load == bins[i].load }) {
			continue
		}
		before := bins[i]
		bins[i] = bin{append(before.pieces[:len(before.pieces):len(before.pieces)], p), sum}
		if s.place(k+1, bins) {
			return true
		}
		bins[i] = before
	}
	if len(bins)+1 >= len(s.best) {
		return false
	}
	return s.place(k+1, append(bins[:len(bins):len(bins)], bin{[]int{p}, s.pieces[p].load}))
}
