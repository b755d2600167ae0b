#pragma once
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace beaconry {

// A vector that grows page by page: it never copies what it holds, so that growing needs no second
// copy in memory and elements stay where they are. Elements of the last page are made ahead.
template <class T, unsigned kPageBits = 10>
class PagedVector {
 public:
  static constexpr std::size_t kPage = std::size_t{1} << kPageBits;

  T& operator[](std::size_t i) { return pages_[i >> kPageBits][i & (kPage - 1)]; }
  const T& operator[](std::size_t i) const { return pages_[i >> kPageBits][i & (kPage - 1)]; }

  T& emplace_back() {
    if (size_ == pages_.size() * kPage) pages_.push_back(std::make_unique<T[]>(kPage));
    return (*this)[size_++];
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear() {
    pages_.clear();
    size_ = 0;
  }
  std::size_t memory_bytes() const { return pages_.size() * (kPage * sizeof(T) + sizeof(T*)); }

  class const_iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;
    const_iterator() = default;
    const_iterator(const PagedVector* of, std::size_t at) : of_(of), at_(at) {}
    reference operator*() const { return (*of_)[at_]; }
    pointer operator->() const { return &(*of_)[at_]; }
    const_iterator& operator++() {
      ++at_;
      return *this;
    }
    const_iterator operator++(int) { return {of_, at_++}; }
    friend bool operator==(const const_iterator&, const const_iterator&) = default;

   private:
    const PagedVector* of_ = nullptr;
    std::size_t at_ = 0;
  };
  const_iterator begin() const { return {this, 0}; }
  const_iterator end() const { return {this, size_}; }

 private:
  std::vector<std::unique_ptr<T[]>> pages_;
  std::size_t size_ = 0;
};

}  // namespace beaconry
