package simulator

// Restore gives a Service that began anew an enterprise that one before it had, of the project of
// the Options, without its policies and devices. The names that the Service makes from now on are
// others than those that the one before it made, if that was restored, or began, at another time.
func (s *Service) Restore(enterpriseName string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counter += uint64(s.options.Now().UnixMilli())
	s.enterprises[enterpriseName] = &enterprise{name: enterpriseName,
		project: s.options.Project, document: make(message),
		policies: make(map[string]*policy), tokens: make(map[string]*token),
		devices: make(map[string]*Device), webApps: make(map[string]message)}
}
