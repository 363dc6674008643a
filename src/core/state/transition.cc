#include <iterator>
#include <utility>

#include "core/state/state.h"

namespace hikae::core {

Transition::Transition() = default;
Transition::Transition(const Transition&) = default;
Transition::Transition(Transition&&) noexcept = default;
Transition& Transition::operator=(const Transition&) = default;
Transition& Transition::operator=(Transition&&) noexcept = default;
Transition::~Transition() = default;

template <class T>
void Transition::put(T value) {
  changes.emplace_back(Put<T>{std::move(value)});
}

template <class T>
void Transition::remove(typename T::Key key) {
  changes.emplace_back(Remove<T>{std::move(key)});
}

void Transition::append(Transition more) {
  changes.insert(changes.end(), std::make_move_iterator(more.changes.begin()),
                 std::make_move_iterator(more.changes.end()));
}

// One that is forgotten here fails to link.
template void Transition::put(Region);
template void Transition::remove<Region>(Region::Key);
template void Transition::put(Host);
template void Transition::remove<Host>(Host::Key);
template void Transition::put(Vpc);
template void Transition::remove<Vpc>(Vpc::Key);
template void Transition::put(Subnet);
template void Transition::remove<Subnet>(Subnet::Key);
template void Transition::put(SecurityGroup);
template void Transition::remove<SecurityGroup>(SecurityGroup::Key);
template void Transition::put(RouteTable);
template void Transition::remove<RouteTable>(RouteTable::Key);
template void Transition::put(InternetGateway);
template void Transition::remove<InternetGateway>(InternetGateway::Key);
template void Transition::put(NetworkAcl);
template void Transition::remove<NetworkAcl>(NetworkAcl::Key);
template void Transition::put(SubnetGroup);
template void Transition::remove<SubnetGroup>(SubnetGroup::Key);
template void Transition::put(ParameterGroup);
template void Transition::remove<ParameterGroup>(ParameterGroup::Key);
template void Transition::put(ReplicationGroup);
template void Transition::remove<ReplicationGroup>(ReplicationGroup::Key);
template void Transition::put(CacheCluster);
template void Transition::remove<CacheCluster>(CacheCluster::Key);
template void Transition::put(Snapshot);
template void Transition::remove<Snapshot>(Snapshot::Key);
template void Transition::put(Event);
template void Transition::remove<Event>(Event::Key);
template void Transition::put(JoinToken);
template void Transition::remove<JoinToken>(JoinToken::Key);
template void Transition::put(User);
template void Transition::remove<User>(User::Key);
template void Transition::put(UserGroup);
template void Transition::remove<UserGroup>(UserGroup::Key);
template void Transition::put(ServiceUpdate);
template void Transition::remove<ServiceUpdate>(ServiceUpdate::Key);
template void Transition::put(UpdateAction);
template void Transition::remove<UpdateAction>(UpdateAction::Key);

}  // namespace hikae::core
