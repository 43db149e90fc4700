package lane

import (
	"container/list"
	"slices"
)

// node is part of the tree of those who wait: the root has a child for each owner, an owner has one
// for each connection, and a connection, a leaf, has waiters in the order in which they came. Every
// operation takes the same time however many wait, so a flood of requests does not become expensive
// here.
type node struct {
	name     string
	parent   *node            // nil for the root
	children map[string]*node // the children that have waiters, by name; nil for a leaf
	turns    list.List        // children (*node) or, in a leaf, waiters, the next one first
	turn     *list.Element    // this node's element in its parent's turns
	waiting  int

	byWaiting [][]*node // children by how many waiters they have: byWaiting[n] lists those with n
	index     int       // of this node in its list in the parent's byWaiting
}

// add makes a waiter wait in the leaf at a path, the names below this node.
func (n *node) add(w *waiter, path ...string) {
	n.waiting++
	if len(path) == 0 {
		w.leaf = n
		n.turns.PushBack(w)
		return
	}
	child := n.children[path[0]]
	if child == nil {
		if n.children == nil {
			n.children = make(map[string]*node)
		}
		child = &node{name: path[0], parent: n}
		child.turn = n.turns.PushBack(child)
		n.children[path[0]] = child
	} else {
		n.uncount(child)
	}
	child.add(w, path[1:]...)
	n.count(child)
}

// remove takes a waiter out of the tree.
func (w *waiter) remove() {
	leaf := w.leaf
	w.leaf = nil
	// Nearly always it is the first one, or the last.
	for _, e := range []*list.Element{leaf.turns.Front(), leaf.turns.Back()} {
		if e.Value == w {
			leaf.turns.Remove(e)
			leaf.countLeft()
			return
		}
	}
	for e := leaf.turns.Front(); e != nil; e = e.Next() {
		if e.Value == w {
			leaf.turns.Remove(e)
			break
		}
	}
	leaf.countLeft()
}

// countLeft counts one waiter less, in this node and those above it. Nodes without waiters go.
func (n *node) countLeft() {
	if n.parent == nil {
		n.waiting--
		return
	}
	n.parent.uncount(n)
	if n.waiting--; n.waiting > 0 {
		n.parent.count(n)
	} else {
		n.parent.turns.Remove(n.turn)
		delete(n.parent.children, n.name)
	}
	n.parent.countLeft()
}

// next returns the waiter whose turn it is.
func (n *node) next() *waiter {
	for {
		switch first := n.turns.Front().Value.(type) {
		case *waiter:
			return first
		case *node:
			n = first
		}
	}
}

// rotate puts the node behind its siblings, and its ancestors behind theirs, because it had its
// turn.
func (n *node) rotate() {
	for ; n.parent != nil; n = n.parent {
		n.parent.turns.MoveToBack(n.turn)
	}
}

// newestOfLargest returns the newest waiter of the child that has most waiters. If several have as
// many, it is the one that reached that number last, so whoever waits already is not turned away
// for a newcomer.
func (n *node) newestOfLargest() *waiter {
	for n.children != nil {
		top := n.byWaiting[len(n.byWaiting)-1]
		n = top[len(top)-1]
	}
	return n.turns.Back().Value.(*waiter)
}

func (n *node) count(child *node) {
	for len(n.byWaiting) <= child.waiting {
		n.byWaiting = append(n.byWaiting, nil)
	}
	same := n.byWaiting[child.waiting]
	child.index = len(same)
	n.byWaiting[child.waiting] = append(same, child)
}

// uncount takes a child out of byWaiting. The order in which children reached a number is kept,
// except for the last, which moves to the freed index.
func (n *node) uncount(child *node) {
	same := n.byWaiting[child.waiting]
	last := len(same) - 1
	same[child.index] = same[last]
	same[child.index].index = child.index
	n.byWaiting[child.waiting] = slices.Delete(same, last, last+1)
	for end := len(n.byWaiting); end > 0 && len(n.byWaiting[end-1]) == 0; end-- {
		n.byWaiting = n.byWaiting[:end-1]
	}
}
