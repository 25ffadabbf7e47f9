package device

import "testing"

func TestStats(t *testing.T) {
	tree := NewTree()
	if s := tree.Stats(); s != (Stats{}) {
		t.Errorf("an empty tree has %+v", s)
	}
	tree.Apply("a", &Delta{Specs: []Spec{{Path: "x", Kind: Int}, {Path: "y", Kind: Int}}})
	tree.Apply("b", &Delta{Specs: []Spec{{Path: "x", Kind: Int}}})
	sub := tree.Subscribe(Filter{}, 0)
	tree.Apply("a", &Delta{Gone: []Path{"y"}})
	if got, want := tree.Stats(), (Stats{Devices: 2, Points: 2, Subscribers: 1, Tombstones: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	sub.Close()
	tree.Remove("b")
	if got, want := tree.Stats(), (Stats{Devices: 1, Points: 1, Tombstones: 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
