package lane

import (
	"container/list"
	"slices"
)

// group is those who wait: at the root parties, in a party connections, in a connection who waits
// in order. Everything takes the same time, however many wait: a flood must not be what is
// expensive.
type group struct {
	name    string
	parent  *group            // nil: the root
	members map[string]*group // who have somebody waiting; nil: a leaf
	turns   list.List         // of members, or of waiters, whose turn is next first
	turn    *list.Element     // the group's in its parent's turns
	waiting int

	counts [][]*group // members by how many of them wait
	place  int        // of the group in its parent's counts
}

// push has a waiter wait in the group of a path.
func (g *group) push(w *waiter, path ...string) {
	g.waiting++
	if len(path) == 0 {
		w.leaf = g
		g.turns.PushBack(w)
		return
	}
	member := g.members[path[0]]
	if member == nil {
		if g.members == nil {
			g.members = make(map[string]*group)
		}
		member = &group{name: path[0], parent: g}
		member.turn = g.turns.PushBack(member)
		g.members[path[0]] = member
	} else {
		g.uncount(member)
	}
	member.push(w, path[1:]...)
	g.count(member)
}

// remove takes a waiter out of its groups.
func (w *waiter) remove() {
	leaf := w.leaf
	w.leaf = nil
	// It is the first one nearly always, or the last.
	for _, e := range []*list.Element{leaf.turns.Front(), leaf.turns.Back()} {
		if e.Value == w {
			leaf.turns.Remove(e)
			leaf.left()
			return
		}
	}
	for e := leaf.turns.Front(); e != nil; e = e.Next() {
		if e.Value == w {
			leaf.turns.Remove(e)
			break
		}
	}
	leaf.left()
}

// left notes that one waits no more.
func (g *group) left() {
	if g.parent == nil {
		g.waiting--
		return
	}
	g.parent.uncount(g)
	if g.waiting--; g.waiting > 0 {
		g.parent.count(g)
	} else {
		g.parent.turns.Remove(g.turn)
		delete(g.parent.members, g.name)
	}
	g.parent.left()
}

// next is the waiter whose turn it is.
func (g *group) next() *waiter {
	for {
		switch first := g.turns.Front().Value.(type) {
		case *waiter:
			return first
		case *group:
			g = first
		}
	}
}

// rotate puts the group, and those that it is in, behind the others: it had its turn.
func (g *group) rotate() {
	for ; g.parent != nil; g = g.parent {
		g.parent.turns.MoveToBack(g.turn)
	}
}

// newestOfMost is the last waiter of the member that most wait for. Of several who have as many it
// is the one that came to it last, so who waits already is not turned away for who comes.
func (g *group) newestOfMost() *waiter {
	for g.members != nil {
		top := g.counts[len(g.counts)-1]
		g = top[len(top)-1]
	}
	return g.turns.Back().Value.(*waiter)
}

func (g *group) count(member *group) {
	for len(g.counts) <= member.waiting {
		g.counts = append(g.counts, nil)
	}
	same := g.counts[member.waiting]
	member.place = len(same)
	g.counts[member.waiting] = append(same, member)
}

// uncount keeps the order of who came last, but for the one that takes the freed place.
func (g *group) uncount(member *group) {
	same := g.counts[member.waiting]
	last := len(same) - 1
	same[member.place] = same[last]
	same[member.place].place = member.place
	g.counts[member.waiting] = slices.Delete(same, last, last+1)
	for n := len(g.counts); n > 0 && len(g.counts[n-1]) == 0; n-- {
		g.counts = g.counts[:n-1]
	}
}
