//go:build !race

package graph_test

// slowness is how many times as long everything takes: see the file for the race detector.
const slowness = 1
